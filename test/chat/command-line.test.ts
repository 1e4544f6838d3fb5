/** The command line of modem-chat: what chat(8) takes how, and our long options among it. Against the original: `differential.test.ts`. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type CommandLine, parseCommandLine } from '../../src/chat/command-line.ts'

function parsed(...args: string[]): Partial<CommandLine> {
  const result = parseCommandLine(args)
  assert.ok('mode' in result, `refused: ${args.join(' ')}`)
  return result
}

function refused(...args: string[]) {
  const result = parseCommandLine(args)
  assert.ok(!('mode' in result), `taken: ${args.join(' ')}`)
  return result
}

test('clusters, attached values and the next argument', () => {
  const line = parsed('-svt12', '-T', '-v', '-Ux', '-fE', '-EeVS', '-l', 'lock', 'OK', '-x')
  assert.deepEqual(line.words, ['OK', '-x'])
  assert.equal(line.timeoutMs, 12_000)
  assert.equal(line.phoneNumber, '-v')
  assert.equal(line.phoneNumber2, 'x')
  assert.equal(line.scriptFile, 'E')
  assert.equal(line.lockFile, 'lock')
  const { logsToStderr, logsToSyslog, isVerbose, usesEnvironment, echoes, showsReceived } = line
  assert.deepEqual(
    [logsToStderr, logsToSyslog, isVerbose, usesEnvironment, echoes, showsReceived],
    [true, false, true, true, true, true],
  )
})

test('options end at --, at a lone - and at the first word', () => {
  assert.deepEqual(parsed('--', '-v').words, ['-v'])
  assert.deepEqual(parsed('-', '-v').words, ['-', '-v'])
  assert.deepEqual(parsed('', '-v').words, ['', '-v'])
  assert.deepEqual(parsed('a', '--check').words, ['a', '--check'])
})

test('-t: no number, nothing and less mean no limit', () => {
  for (const value of ['0', 'x', '-5', '']) assert.equal(parsed('-t', value).timeoutMs, Number.POSITIVE_INFINITY)
  assert.equal(parsed('-t', ' 3x').timeoutMs, 3000)
  assert.equal(parsed().timeoutMs, undefined)
})

test('-r: every file, and whether -v stood before it; without a value nothing', () => {
  assert.deepEqual(parsed('-ra', '-v', '-r', 'b', '-r').reportFiles, [
    { name: 'a', isAnnounced: false },
    { name: 'b', isAnnounced: true },
  ])
})

test('what chat does not know is answered by its usage, with the report files already made', () => {
  for (const [args, message] of [
    [['-x'], 'there is no option -x'],
    [['-vx'], 'there is no option -x'],
    [['--checks'], 'there is no option --checks'],
    [['-h'], 'there is no option -h'],
    [['-v-'], 'there is no option --'],
    ...['-t', '-f', '-T', '-U', '-l'].map((option) => [[option], `${option} wants a value`] as const),
  ] as const)
    assert.deepEqual(refused(...args), { message, reportFiles: [], wantsJson: false })
  assert.deepEqual(refused('-ra', '-x').reportFiles, [{ name: 'a', isAnnounced: false }])
})

test('options of ours', () => {
  assert.equal(parsed('--check', 'x').mode, 'check')
  assert.equal(parsed('-v', '--dry-run').mode, 'dry-run')
  assert.equal(parsed('--help', '-x').mode, 'help')
  assert.equal(parsed('--version').mode, 'version')
  assert.equal(parsed('--json').wantsJson, true)
  assert.equal(parsed('--pace', '10').paceMs, 10)
  assert.equal(parsed('--pace=0').paceMs, 0)
  for (const value of [['x'], ['-1'], [''], ['10001'], ['1.5'], []]) {
    const { message, isOurs } = refused('--pace', ...value)
    assert.match(message, /milliseconds/)
    assert.equal(isOurs, true)
  }
})

test('--json counts where the command line is refused, also behind the fault; but not among the words', () => {
  for (const args of [
    ['--json', '-x'],
    ['-x', '--json'],
    ['-x', '-v', '--json'],
  ])
    assert.equal(refused(...args).wantsJson, true)
  for (const args of [['-x'], ['-x', 'OK', '--json'], ['-x', '--', '--json']])
    assert.equal(refused(...args).wantsJson, false)
})
