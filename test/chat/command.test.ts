/**
 * modem-chat as a program on real ptys: what it has besides chat(8), and what can be seen only in its system calls. That it is
 * chat in all else: `differential.test.ts`.
 */

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, suite, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { VERSION } from '../../src/base/version.ts'
import { needs } from '../support/needs.ts'
import type { ChatCase, Outcome, Step } from './differential/case.ts'
import { Places } from './differential/places.ts'
import { runCase } from './differential/run.ts'

const PROGRAM = fileURLToPath(new URL('../../dist/modem-chat.cjs', import.meta.url))
const COMMAND = [process.execPath, PROGRAM]

const folder = mkdtempSync(join(tmpdir(), 'modemd-command-'))
after(() => rmSync(folder, { recursive: true }))

function run(args: readonly string[], modem: readonly Step[] = [], more: Partial<ChatCase> = {}): Promise<Outcome> {
  return runCase(COMMAND, { name: '', args, modem, ...more }, new Places(1))
}

/** Without a terminal. */
function runBare(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [PROGRAM, ...args], { encoding: 'latin1', input: '' })
  return { status, stdout, stderr }
}

const say = (bytes: string): Step => ({ do: 'say', bytes })
const hear = (bytes: string): Step => ({ do: 'hear', bytes })

suite('--json', () => {
  test('an abort', async () => {
    const { exit, stderr } = await run(
      ['--json', 'ABORT', 'BUSY', 'ABORT', 'B\xe9\\r', 'ABORT', 'NO CARRIER', 'OK'],
      [say('NO CARRIER')],
    )
    assert.equal(exit, 6)
    assert.deepEqual(JSON.parse(stderr), {
      exitCode: 6,
      abortString: 'NO CARRIER',
      message: 'Failed (NO CARRIER)',
      reports: [],
    })
  })

  test('success with reports, behind everything else', async () => {
    const { exit, stderr } = await run(
      ['--json', 'REPORT', 'CONNECT', 'SAY', 'hi\\n\\c', '6', '\\c'],
      [say('CONNECT 9600\r\n')],
    )
    assert.equal(exit, 0)
    const lines = stderr.trimEnd().split('\n')
    assert.match(lines.at(-2)!, /^chat: {2}.*CONNECT 9600$/)
    assert.deepEqual(JSON.parse(lines.at(-1)!), { exitCode: 0, reports: ['CONNECT 9600'] })
  })

  test('a signal, a timeout, no terminal', async () => {
    const interrupted = await run(['--json', 'OK'], [{ do: 'signal', name: 'SIGTERM' }])
    assert.deepEqual(JSON.parse(interrupted.stderr), { exitCode: 2, message: 'SIGTERM', reports: [] })
    const late = await run(['--json', '-t', '1', 'OK'])
    assert.deepEqual(JSON.parse(late.stderr), { exitCode: 3, message: 'Failed', reports: [] })
    const message = "Can't get terminal parameters: Inappropriate ioctl for device"
    assert.deepEqual(JSON.parse(runBare('--json', 'OK').stderr), { exitCode: 2, message, reports: [] })
  })
})

suite('--pace', () => {
  test('each byte waits', async () => {
    const startMs = performance.now()
    const { exit, sent } = await run(['--pace', '40', '', 'ATZ\\\\12345'])
    assert.deepEqual([exit, sent], [0, 'ATZ\\12345\r'])
    assert.ok(performance.now() - startMs > 400)
  })

  test('the pauses count in the time limit', async () => {
    const { exit, sent, stderr } = await run(['-sS', '-v', '--pace', '400', '-t', '1', '', 'ABCDEF'])
    assert.deepEqual([exit, sent], [1, 'AB'])
    assert.equal(stderr, 'send (ABCDEF^M)\nalarm\n -- write timed out\nFailed\n')
  })
})

suite('-l', () => {
  const LOCK = 'DIR/lock'
  const shell = '"$@"; code=$?; [ ! -e "$5" ] || { read pid < "$5"; echo "lock $((pid > 1))" >&2; }; exit $code'

  test('stays after success', async () => {
    const { exit, stderr } = await run(['-sS', '-l', LOCK, '', 'AT'], [], { shell })
    assert.deepEqual([exit, stderr], [0, 'lock 1\n'])
  })

  test('is removed after a failure and a signal', async () => {
    const failed = await run(['-t1', '-l', LOCK, 'OK', ''], [], { shell })
    assert.deepEqual([failed.exit, failed.stderr, failed.files], [3, '', {}])
    const interrupted = await run(['-S', '-l', LOCK, 'OK'], [{ do: 'signal', name: 'SIGINT' }])
    assert.deepEqual([interrupted.exit, interrupted.files], [2, {}])
  })

  test("another one's stops everything", async () => {
    const { exit, stderr, sent, files } = await run(['-sS', '-l', LOCK, '', 'AT'], [], { files: { lock: '1\n' } })
    assert.deepEqual([exit, stderr, sent, files], [1, "Can't get lock file 'DIR/lock': File exists\n", '', {}])
  })
})

suite('reports', () => {
  test('of any length', async () => {
    const text = `CONNECT ${'x'.repeat(100_000)}`
    const { exit, files } = await run(['-r', 'DIR/r', 'REPORT', 'CONNECT', 'END', '\\c'], [say(`${text}END\r\n`)])
    assert.equal(exit, 0)
    assert.equal(files.r?.length, 'chat:  Mon DD HH:MM:SS '.length + text.length + 'END\n'.length)
  })

  test('CLR_REPORT after one has fired', async () => {
    const { exit, stderr } = await run(
      ['REPORT', 'A', 'REPORT', 'B', 'x', '', 'CLR_REPORT', 'B', 'CLR_REPORT', 'A', 'y', ''],
      [say('A1\rx'), hear('\r'), say('B2\ry')],
    )
    assert.equal(exit, 0)
    assert.match(stderr, /^chat: {2}.* A1\n$/)
  })

  test('on a full disk: a sentence, and the report is not lost', async () => {
    const { exit, stderr } = await run(['-r', '/dev/full', 'REPORT', 'CON', '\\n', ''], [say('CON 1\r\n')])
    assert.equal(exit, 0)
    assert.match(
      stderr,
      /^modem-chat: cannot write to \/dev\/full: No space left on device; it would have got:\nchat: {2}.* CON 1\n$/,
    )
  })
})

suite('the line', () => {
  /** Of the open file description that is shared with the parent. */
  const flags = 'grep flags /proc/self/fdinfo/0 >&2; "$@"; code=$?; grep flags /proc/self/fdinfo/0 >&2; exit $code'

  test('keeps its open file flags', async () => {
    for (const args of [
      ['', 'AT\\d', 'OK', ''],
      ['-t1', 'OK'],
      ['-t1', 'a-b\\d\\d\\c-c', 'd'],
    ]) {
      const { stderr } = await run(['-S', ...args], [hear('AT'), say('OK')], { shell: flags })
      const [before, behind] = stderr.trim().split('\n')
      assert.match(before!, /^flags:\t/)
      assert.equal(behind, before)
    }
  })

  test('a megabyte without a line end, NULs and all', async () => {
    const { exit, unread } = await run(['ABORT', 'NO', 'END', '\\c'], [say(`${'a\0\xff'.repeat(333_333)}ENDrest`)])
    assert.deepEqual([exit, unread], [0, 'rest'])
  })

  test('a script of a megabyte without a line end', async () => {
    const { exit, sent } = await run(['-t1'], [], { script: `'' \\c '' ${'z'.repeat(1_000_000)}` })
    assert.deepEqual([exit, sent.slice(0, 3)], [3, 'zzz'])
  })

  test('a break breaks, one byte is read at a time, and there is no child process', needs('strace'), async () => {
    const trace = join(folder, 'trace')
    const shell = `strace -f -qq -e trace=ioctl,read,write,execve,clone,fork,vfork -e signal=none -o ${trace} "$@"`
    const { exit, unread } = await run(['', 'a\\Kb', 'OK', 'BREAK'], [hear('ab\r'), say('OK\r\n')], { shell })
    assert.deepEqual([exit, unread], [0, '\r\n'])
    const calls = readFileSync(trace, 'latin1').split('\n')
    const line = calls.flatMap(
      (call) => /TCSBRK, 0|TCSETS|(?:write\(1|read\(0), "(?:\\.|.)*", 1\) *= 1/.exec(call)?.[0] ?? [],
    )
    const seen = line.map((call) => call.replace(/\) *= 1/, ''))
    assert.deepEqual(seen, [
      'TCSETS',
      'write(1, "a", 1',
      'TCSBRK, 0',
      'write(1, "b", 1',
      'write(1, "\\r", 1',
      'read(0, "O", 1',
      'read(0, "K", 1',
      'TCSBRK, 0',
      'TCSETS',
    ])
    assert.deepEqual(
      calls.filter((call) => /read\(0, "(?:\\.|.)*", (?!1\))/.test(call)),
      [],
    )
    assert.equal(calls.filter((call) => /execve\(/.test(call)).length, 1)
    assert.deepEqual(
      calls.filter((call) => /v?fork\(/.test(call)),
      [],
    )
  })
})

suite('nothing is sent', () => {
  test('--help, --version', () => {
    const help = runBare('--help')
    assert.equal(help.status, 0)
    assert.match(help.stdout, /-l FILE.*Exit codes:.*Example:\n/s)
    assert.deepEqual(runBare('-v', '--version'), { status: 0, stdout: `modem-chat ${VERSION}\n`, stderr: '' })
  })

  test("an unknown option gets the original's usage; a wrong --pace a sentence", () => {
    const usage = `Usage: ${PROGRAM} [-e] [-E] [-v] [-V] [-t timeout] [-r report-file]
     [-T phone-number] [-U phone-number2] {-f chat-file | chat-script}
`
    for (const option of ['-x', '--jsn', '-l'])
      assert.deepEqual(runBare(option), { status: 1, stdout: '', stderr: usage })
    const { status, stderr } = runBare('--pace', 'slow')
    assert.equal(status, 1)
    assert.match(stderr, /^modem-chat: --pace wants milliseconds.*\n$/)
  })

  test('--json has its last line also where the use is wrong', () => {
    const lastOf = (...args: string[]) => {
      const { status, stderr } = runBare(...args)
      return [status, JSON.parse(stderr.trimEnd().split('\n').at(-1)!)]
    }
    const wrong = (message: string) => [1, { exitCode: 1, message, reports: [] }]
    assert.deepEqual(lastOf('--json', '--bogus'), wrong('there is no option --bogus'))
    assert.deepEqual(lastOf('-x', '--json'), wrong('there is no option -x'))
    const pace = '--pace wants milliseconds before each byte, 0 to 10000 (chat has 10)'
    assert.deepEqual(lastOf('--json', '--pace', 'slow'), wrong(pace))
    const absent = join(folder, 'absent')
    const message = `${absent} -- open failed: No such file or directory`
    assert.deepEqual(lastOf('--json', '--check', '-f', absent), [1, { exitCode: 1, message }])
    assert.deepEqual(lastOf('--json', '--dry-run', 'OK', 'x'), [0, { exitCode: 0 }])
    assert.match(runBare('--json', '-x').stderr, /^Usage: /)
  })

  test('--json of a script in both forms', async () => {
    const { exit, stderr } = await run(['--json', '-f', '/dev/null', 'OK'])
    assert.equal(exit, 1)
    const message = 'give either -f FILE or words, not both'
    assert.deepEqual(JSON.parse(stderr.trimEnd().split('\n').at(-1)!), { exitCode: 1, message, reports: [] })
  })

  test('--check of one word that names no file says so', () => {
    const note = (word: string) =>
      `modem-chat: there is no file "${word}": the word itself is taken for the whole script\n`
    for (const word of ['nosuchfile', '/etc/chatscripts/absent', 'dial.chat']) {
      const good = { status: 0, stdout: 'modem-chat: no faults in 1 word\n', stderr: note(word) }
      assert.deepEqual(runBare('--check', word), good)
      assert.equal(runBare('--dry-run', word).stderr, note(word))
    }
    assert.equal(runBare('--check', 'OK', 'x').stderr, '')
  })

  test('--check of a file, of words, and of a file named as a word', () => {
    const file = join(folder, 'script')
    writeFileSync(file, `ABORT BUSY\n'' ATZ OK 'ATD\\T\nCONNECT ''\n`)
    const found = `${file}:2:11: unterminated quote (line 2): the script ends here with exit code 1
    ... ATZ OK ['ATD\\T] CONNECT ''
${file}:3:1: never reached, nor is anything behind it: the script ends before
    ... OK 'ATD\\T [CONNECT] ''
`
    assert.deepEqual(runBare('--check', '-f', file), { status: 1, stdout: found, stderr: '' })
    assert.deepEqual(runBare('--check', file), { status: 1, stdout: found, stderr: '' })
    const good = runBare('--check', '', 'ATZ', 'OK')
    assert.deepEqual(good, { status: 0, stdout: 'modem-chat: no faults in 3 words\n', stderr: '' })
    const absent = runBare('--check', '-f', join(folder, 'absent'))
    assert.equal(absent.status, 1)
    assert.match(absent.stderr, /^modem-chat: .*absent -- open failed: No such file or directory\n$/)
  })

  test('--check shows no secrets, and says who may read them', () => {
    const file = join(folder, 'login')
    writeFileSync(file, `'' AT ogin: me word: geheim~1 '' AT+CPIN=4711 x 'y\n`, { mode: 0o644 })
    const { status, stdout, stderr } = runBare('--check', '--json', file)
    assert.equal(status, 1)
    assert.doesNotMatch(stdout + stderr, /geheim|4711/)
    assert.match(stdout, /login:1:22: a password in a file that everybody may read: chmod 600 /)
    const { exitCode, faults } = JSON.parse(stderr)
    assert.deepEqual([exitCode, faults[0].line, faults[0].column], [1, 1, 22])
  })

  test('--dry-run', () => {
    const { status, stdout } = runBare('--dry-run', '-T', '123', 'ABORT', 'BUSY', '', 'ATD\\T', 'CONNECT', '\\c')
    assert.equal(status, 0)
    assert.equal(
      stdout,
      `  1. from now on end with exit code 4 when "BUSY" comes
  2. send "ATD123^M"
  3. wait up to 45 s for "CONNECT"; if it does not come, end with exit code 3
  4. send nothing
  5. end with exit code 0
`,
    )
    assert.equal(existsSync('lock'), false)
  })
})
