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
import { applyDns, restoreDnsAfterCrash } from '../../src/system/resolver.ts'
import { inNamespace } from '../support/in-namespace.ts'
import { needs } from '../support/needs.ts'
import { run } from './run.ts'

if (inNamespace(import.meta.url, needs('tun'))) mountTests()
else tests()

/** No newline at its end, bytes that are no UTF-8, an odd mode: all of it must come back. */
const original = Buffer.from([...Buffer.from('# m\xfcller\nsearch example.net\nnameserver 192.0.2.1', 'latin1'), 0xff])

function makeRoot(t: TestContext): { readonly root: string; readonly file: string; readonly run: string } {
  const root = mkdtempSync(join(tmpdir(), 'modemd-resolver-'))
  t.after(() => rmSync(root, { recursive: true, force: true }))
  mkdirSync(join(root, 'etc'))
  return { root, file: join(root, 'etc/resolv.conf'), run: join(root, 'run/modemd') }
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

function apply(root: string, interfaceName: string, ...servers: string[]): Promise<() => Promise<void>> {
  return applyDns({ root, interfaceName, servers })
}

function tests(): void {
  test('a file comes back byte for byte with its mode, and nothing is left over', async (t) => {
    const { root, file, run } = makeRoot(t)
    writeOriginal(file)
    const restore = await apply(root, 'ppp0', '10.0.0.1', '10.0.0.2')
    assert.deepEqual(nameservers(file), ['10.0.0.1', '10.0.0.2'])
    assert.match(readFileSync(file, 'latin1'), /^search example\.net$/m)
    assert.equal(statSync(file).mode & 0o7777, 0o644)
    await restore()
    assertOriginal(file)
    await restore()
    assertOriginal(file)
    assert.deepEqual(readdirSync(run), [])
    assert.deepEqual(readdirSync(join(root, 'etc')), ['resolv.conf'])
  })

  test('a missing one is removed again', async (t) => {
    const { root, file, run } = makeRoot(t)
    const restore = await apply(root, 'ppp0', '10.0.0.1')
    assert.deepEqual(nameservers(file), ['10.0.0.1'])
    await restore()
    assert.equal(existsSync(file), false)
    assert.deepEqual(readdirSync(run), [])
  })

  test('a symbolic link is one again, and its target was never touched', async (t) => {
    const { root, file } = makeRoot(t)
    writeFileSync(join(root, 'stub'), 'nameserver 127.0.0.53\n')
    symlinkSync('../stub', file)
    const restore = await apply(root, 'ppp0', '10.0.0.1')
    assert.equal(lstatSync(file).isSymbolicLink(), false)
    assert.equal(readFileSync(join(root, 'stub'), 'latin1'), 'nameserver 127.0.0.53\n')
    await restore()
    assert.equal(readlinkSync(file), '../stub')
  })

  test('after a crash the next start restores it, whatever it was', async (t) => {
    for (const kind of ['file', 'link', 'absent'] as const) {
      const { root, file, run } = makeRoot(t)
      if (kind === 'file') writeOriginal(file)
      if (kind === 'link') symlinkSync('/nowhere', file)
      await apply(root, 'ppp0', '10.0.0.1')
      await restoreDnsAfterCrash(root)
      if (kind === 'file') assertOriginal(file)
      else if (kind === 'link') assert.equal(readlinkSync(file), '/nowhere')
      else assert.equal(existsSync(file), false)
      assert.deepEqual(readdirSync(run), [])
      await restoreDnsAfterCrash(root)
    }
  })

  test('a crash in the middle of writing, or before the link was set up again, loses nothing', async (t) => {
    const { root, file } = makeRoot(t)
    writeOriginal(file)
    await apply(root, 'ppp0', '10.0.0.1')
    writeFileSync(file, '')
    await restoreDnsAfterCrash(root)
    assertOriginal(file)

    await apply(root, 'ppp0', '10.0.0.1')
    const restore = await apply(root, 'ppp0', '10.0.0.9')
    assert.deepEqual(nameservers(file), ['10.0.0.9'])
    await restore()
    assertOriginal(file)
  })

  test('what somebody else wrote in the meantime stays', async (t) => {
    const { root, file, run } = makeRoot(t)
    writeOriginal(file)
    const restore = await apply(root, 'ppp0', '10.0.0.1')
    writeFileSync(file, 'nameserver 203.0.113.5\n')
    await restore()
    assert.deepEqual(nameservers(file), ['203.0.113.5'])
    assert.deepEqual(readdirSync(run), [])
  })

  test('two links may end in any order, or in a crash', async (t) => {
    for (const end of ['first first', 'second first', 'crash', 'at once'] as const) {
      for (const kind of ['file', 'absent'] as const) {
        const { root, file, run } = makeRoot(t)
        if (kind === 'file') writeOriginal(file)
        const [first, second] = await Promise.all([apply(root, 'ppp0', '10.0.0.1'), apply(root, 'ppp1', '10.0.1.1')])
        assert.deepEqual(nameservers(file), ['10.0.1.1'])
        if (end === 'crash') await restoreDnsAfterCrash(root)
        else if (end === 'at once') await Promise.all([first(), second()])
        else {
          await (end === 'first first' ? first : second)()
          assert.deepEqual(nameservers(file), [end === 'first first' ? '10.0.1.1' : '10.0.0.1'])
          await (end === 'first first' ? second : first)()
        }
        if (kind === 'file') assertOriginal(file)
        else assert.equal(existsSync(file), false)
        assert.deepEqual(readdirSync(run), [], `${end}, ${kind}`)
      }
    }
  })

  test('no servers, no change; what is no address or name is refused', async (t) => {
    const { root, file } = makeRoot(t)
    const restore = await apply(root, 'ppp0')
    assert.equal(existsSync(file), false)
    await restore()
    await assert.rejects(apply(root, 'ppp0', '10.0.0.1\nnameserver 6.6.6.6'), { code: 'InvalidArgs' })
    await assert.rejects(apply(root, '../ppp0', '10.0.0.1'), { code: 'InvalidArgs' })
    await restoreDnsAfterCrash(join(root, 'nothing/here'))
  })
}

function mountTests(): void {
  test('a bind-mounted file is written in place and comes back', async (t) => {
    const { root, file } = makeRoot(t)
    const mounted = join(root, 'mounted')
    writeOriginal(mounted)
    writeFileSync(file, '')
    assert.equal((await run('mount', '--bind', mounted, file)).status, 0)
    try {
      const restore = await apply(root, 'ppp0', '10.0.0.1')
      assert.deepEqual(nameservers(mounted), ['10.0.0.1'])
      await restore()
      assertOriginal(file)
      assertOriginal(mounted)
      assert.deepEqual(readdirSync(join(root, 'etc')), ['resolv.conf'])
    } finally {
      await run('umount', file)
    }
  })

  for (const content of ['', 'nameserver 192.0.2.1\n'])
    test(`on a full disk a bind-mounted file keeps ${content === '' ? 'nothing' : 'what it had'}, and no copy stays`, async (t) => {
      const { root, file, run: runFolder } = makeRoot(t)
      const tiny = join(root, 'tiny')
      mkdirSync(tiny)
      writeFileSync(file, '')
      assert.equal((await run('mount', '-t', 'tmpfs', '-o', 'size=8k', 'none', tiny)).status, 0)
      try {
        writeFileSync(join(tiny, 'resolv.conf'), content)
        assert.throws(() => writeFileSync(join(tiny, 'filler'), Buffer.alloc(1 << 16)), { code: 'ENOSPC' })
        assert.equal((await run('mount', '--bind', join(tiny, 'resolv.conf'), file)).status, 0)
        // More than one page: it does not fit into what the file has.
        const servers = Array.from({ length: 400 }, (_, index) => `10.0.${index >> 8}.${index & 255}`)
        await assert.rejects(apply(root, 'ppp0', ...servers), /ENOSPC/)
        assert.equal(readFileSync(file, 'latin1'), content)
        assert.deepEqual(readdirSync(runFolder), [])
      } finally {
        await run('umount', '--lazy', file)
        await run('umount', '--lazy', tiny)
      }
    })
}
