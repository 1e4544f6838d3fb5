import assert from 'node:assert/strict'
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { silentLogger } from '../../src/base/ports.ts'
import { ResolverChain } from '../../src/link/resolver-chain.ts'
import { foreignResolvConf, resolvConfFile } from '../../src/system/resolver-file.ts'
import { inNamespace } from '../support/in-namespace.ts'
import { needs } from '../support/needs.ts'
import { VirtualClock } from '../support/virtual-clock.ts'
import { run } from './run.ts'
import { until } from './until.ts'

if (inNamespace(import.meta.url, needs('tun'))) mountTests()
else tests()

/** No newline at its end, bytes that are no UTF-8, an odd mode: all of it must come back. */
const original = Buffer.from([...Buffer.from('# m\xfcller\nsearch example.net\nnameserver 192.0.2.1', 'latin1'), 0xff])

interface Place {
  readonly root: string
  readonly file: string
  readonly chain: ResolverChain
}

const clock = new VirtualClock()
const warnings: string[] = []

/** As a fresh daemon has it. */
function chainOf(root: string): ResolverChain {
  const warn = (message: string) => void warnings.push(message)
  return new ResolverChain([resolvConfFile(root)], clock, { ...silentLogger, warn })
}

function makeRoot(t: TestContext): Place {
  const root = mkdtempSync(join(tmpdir(), 'modemd-resolver-'))
  t.after(() => rmSync(root, { recursive: true, force: true }))
  mkdirSync(join(root, 'etc'))
  return { root, file: join(root, 'etc/resolv.conf'), chain: chainOf(root) }
}

function writeOriginal(file: string): void {
  writeFileSync(file, original)
  chmodSync(file, 0o604)
}

function assertOriginal(file: string): void {
  assert.deepEqual(readFileSync(file), original)
  assert.equal(statSync(file).mode & 0o7777, 0o604)
}

function nameservers(file: string): string[] {
  return [...readFileSync(file, 'latin1').matchAll(/^nameserver (.*)$/gm)].map(([, server]) => server!)
}

const METRIC: Record<string, number> = { ppp0: 700, ppp1: 600 }

function apply(chain: ResolverChain, interfaceName: string, ...servers: string[]): Promise<() => Promise<void>> {
  return chain.apply(interfaceName, servers, METRIC[interfaceName] ?? 700)
}

function assertNothingElse(root: string, ...files: string[]): void {
  assert.deepEqual(readdirSync(join(root, 'etc')), files)
  assert.equal(existsSync(join(root, 'run')), false, 'no copy beside the file itself')
}

function tests(): void {
  test('a file comes back byte for byte with its mode, and nothing is left over', async (t) => {
    const { root, file, chain } = makeRoot(t)
    writeOriginal(file)
    const restore = await apply(chain, 'ppp0', '10.0.0.1', '10.0.0.2')
    assert.deepEqual(nameservers(file), ['10.0.0.1', '10.0.0.2'])
    assert.match(readFileSync(file, 'latin1'), /^search example\.net$/m)
    assert.equal(statSync(file).mode & 0o7777, 0o644)
    await restore()
    assertOriginal(file)
    await restore()
    assertOriginal(file)
    assertNothingElse(root, 'resolv.conf')
  })

  test('a missing one is removed again', async (t) => {
    const { root, file, chain } = makeRoot(t)
    const restore = await apply(chain, 'ppp0', '10.0.0.1')
    assert.deepEqual(nameservers(file), ['10.0.0.1'])
    await restore()
    assert.equal(existsSync(file), false)
    assertNothingElse(root)
  })

  test('a symbolic link is one again, and its target was never touched', async (t) => {
    const { root, file, chain } = makeRoot(t)
    writeFileSync(join(root, 'stub'), 'nameserver 127.0.0.53\n')
    symlinkSync('../stub', file)
    const restore = await apply(chain, 'ppp0', '10.0.0.1')
    assert.equal(lstatSync(file).isSymbolicLink(), false)
    assert.equal(readFileSync(join(root, 'stub'), 'latin1'), 'nameserver 127.0.0.53\n')
    await restore()
    assert.equal(readlinkSync(file), '../stub')
  })

  test('after a crash the next start restores it, whatever it was', async (t) => {
    for (const kind of ['file', 'link', 'absent'] as const) {
      const { root, file, chain } = makeRoot(t)
      if (kind === 'file') writeOriginal(file)
      if (kind === 'link') symlinkSync('/nowhere', file)
      await apply(chain, 'ppp0', '10.0.0.1')
      // In the middle of the next change.
      writeFileSync(`${file}.modemd`, '# mod')
      await chainOf(root).restoreAfterCrash()
      if (kind === 'file') assertOriginal(file)
      else if (kind === 'link') assert.equal(readlinkSync(file), '/nowhere')
      else assert.equal(existsSync(file), false)
      assertNothingElse(root, ...(kind === 'absent' ? [] : ['resolv.conf']))
      await chainOf(root).restoreAfterCrash()
    }
  })

  test('other servers of the same link, also after a crash, and what was there is still known', async (t) => {
    const { root, file, chain } = makeRoot(t)
    writeOriginal(file)
    await apply(chain, 'ppp0', '10.0.0.1')
    const restore = await apply(chainOf(root), 'ppp0', '10.0.0.9')
    assert.deepEqual(nameservers(file), ['10.0.0.9'])
    assert.match(readFileSync(file, 'latin1'), /^#\| nameserver 192\.0\.2\.1%ff$/m, 'people can read it, too')
    await restore()
    assertOriginal(file)
  })

  test('whatever is in the file comes back: our own signs, escapes, an empty file', async (t) => {
    for (const text of ['', '\n', '%41%\n', '#| nameserver 9.9.9.9\n', '# modemd: before: absent\n', '\r\n\t\0']) {
      const { root, file, chain } = makeRoot(t)
      writeFileSync(file, text)
      await apply(chain, 'ppp0', '10.0.0.1')
      assert.deepEqual(nameservers(file), ['10.0.0.1'])
      await chainOf(root).restoreAfterCrash()
      assert.equal(readFileSync(file, 'latin1'), text)
    }
  })

  test('what somebody else wrote in the meantime stays', async (t) => {
    const { root, file, chain } = makeRoot(t)
    writeOriginal(file)
    const restore = await apply(chain, 'ppp0', '10.0.0.1')
    writeFileSync(file, 'nameserver 203.0.113.5\n')
    await restore()
    assert.deepEqual(nameservers(file), ['203.0.113.5'])
    assertNothingElse(root, 'resolv.conf')
  })

  test('of two links the one with the lower metric is asked first, and they may end in any order, or in a crash', async (t) => {
    for (const end of ['first first', 'second first', 'crash', 'at once'] as const) {
      for (const kind of ['file', 'absent'] as const) {
        const { root, file, chain } = makeRoot(t)
        if (kind === 'file') writeOriginal(file)
        const [first, second] = await Promise.all([apply(chain, 'ppp0', '10.0.0.1'), apply(chain, 'ppp1', '10.0.1.1')])
        assert.deepEqual(nameservers(file), ['10.0.1.1', '10.0.0.1'])
        if (end === 'crash') await chainOf(root).restoreAfterCrash()
        else if (end === 'at once') await Promise.all([first(), second()])
        else {
          await (end === 'first first' ? first : second)()
          assert.deepEqual(nameservers(file), [end === 'first first' ? '10.0.1.1' : '10.0.0.1'])
          await (end === 'first first' ? second : first)()
        }
        if (kind === 'file') assertOriginal(file)
        else assert.equal(existsSync(file), false)
        assertNothingElse(root, ...(kind === 'file' ? ['resolv.conf'] : []))
      }
    }
  })

  test('where an absolute link leads is inside the root; a mangled one is nobody’s', async (t) => {
    const { root, file, chain } = makeRoot(t)
    writeFileSync(join(root, 'stub'), 'nameserver 192.0.2.7\n')
    symlinkSync('/stub', file)
    const restore = await apply(chain, 'ppp0', '10.0.0.1')
    assert.deepEqual(await foreignResolvConf(root), { text: 'nameserver 192.0.2.7\n', target: '/stub' })
    writeFileSync(file, readFileSync(file, 'latin1').replace('link %2Fstub', 'link %zz'))
    assert.equal((await foreignResolvConf(root)).target, '')
    await restore()
  })

  test('no servers, no change; what is no address or name is refused', async (t) => {
    const { root, file, chain } = makeRoot(t)
    const restore = await apply(chain, 'ppp0')
    assert.equal(existsSync(file), false)
    await restore()
    await assert.rejects(apply(chain, 'ppp0', '10.0.0.1\nnameserver 6.6.6.6'), { code: 'InvalidArgs' })
    await assert.rejects(apply(chain, '../ppp0', '10.0.0.1'), { code: 'InvalidArgs' })
    await chainOf(join(root, 'nothing/here')).restoreAfterCrash()
    assert.equal(existsSync(join(root, 'nothing')), false)
  })
}

function mountTests(): void {
  test('a bind-mounted file is written in place and comes back', async (t) => {
    const { root, file, chain } = makeRoot(t)
    const mounted = join(root, 'mounted')
    writeOriginal(mounted)
    writeFileSync(file, '')
    assert.equal((await run('mount', '--bind', mounted, file)).status, 0)
    try {
      const restore = await apply(chain, 'ppp0', '10.0.0.1')
      assert.deepEqual(nameservers(mounted), ['10.0.0.1'])
      await restore()
      assertOriginal(file)
      assertOriginal(mounted)
      assert.deepEqual(readdirSync(join(root, 'etc')), ['resolv.conf'])
    } finally {
      await run('umount', '--lazy', file)
    }
  })

  for (const content of ['', 'nameserver 192.0.2.1\n'])
    test(`on a full disk a bind-mounted file keeps ${content === '' ? 'nothing' : 'what it had'}, and no copy stays`, async (t) => {
      const { root, file, chain } = makeRoot(t)
      const tiny = join(root, 'tiny')
      mkdirSync(tiny)
      writeFileSync(file, '')
      assert.equal((await run('mount', '-t', 'tmpfs', '-o', 'size=16k', 'none', tiny)).status, 0)
      try {
        writeFileSync(join(tiny, 'resolv.conf'), content)
        assert.throws(() => writeFileSync(join(tiny, 'filler'), Buffer.alloc(1 << 16)), { code: 'ENOSPC' })
        assert.equal((await run('mount', '--bind', join(tiny, 'resolv.conf'), file)).status, 0)
        // More than one page: it does not fit into what the file has.
        let isDone = false
        const servers = Array.from({ length: 400 }, (_, index) => `10.0.${index >> 8}.${index & 255}`)
        const restore = await apply(chain, 'ppp0', ...servers)
        assert.match(warnings.pop() ?? '', /^Name servers of ppp0 are not set: .*ENOSPC/)
        assert.equal(readFileSync(file, 'latin1'), content)
        assertNothingElse(root, 'resolv.conf')

        await clock.advance(60_000)
        assert.deepEqual(warnings, [], 'tried again, and said once')
        rmSync(join(tiny, 'filler'))
        // The disk is not the clock's.
        const areSet = until('they are set once there is space', () => nameservers(file).length === 400)
        areSet.finally(() => (isDone = true)).catch(() => {})
        while (!isDone) await clock.advance(1000)
        await areSet
        await restore()
        assert.equal(readFileSync(file, 'latin1'), content)
      } finally {
        await run('umount', '--lazy', file)
        await run('umount', '--lazy', tiny)
      }
    })
}
