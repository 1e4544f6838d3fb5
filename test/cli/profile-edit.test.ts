/** `mmctl profile edit` with editors that are small scripts, against the real D-Bus service. */

import assert from 'node:assert/strict'
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { ModemdError } from '../../src/base/errors.ts'
import { needs } from '../support/needs.ts'
import { mmctl } from './support/mmctl.ts'
import { at, scene } from './support/scene.ts'

const has = { ...needs('dbus-daemon'), timeout: 60_000 }

const PROFILE = {
  ...{ name: 'demo', apn: 'internet', number: '*99#', sim: '', autoconnect: true, priority: 0, username: ' me ' },
  'redial.busy': '5s',
} as const

/** `edit`: a line of shell that changes the file $1. */
async function editing(context: TestContext) {
  const made = await scene(context)
  made.api.profileList = [PROFILE]
  const folder = mkdtempSync(join(tmpdir(), 'mmctl-edit-'))
  context.after(() => rmSync(folder, { recursive: true }))
  const editor = join(folder, 'my editor')
  const edit = async (script: string, ...more: readonly string[]) => {
    writeFileSync(editor, `#!/bin/sh\ncp "$2" '${folder}/seen'\nset -- "$2"\n${script}\n`)
    chmodSync(editor, 0o700)
    // With an argument of its own, as in `emacs -nw`.
    const env = { NO_COLOR: '1', PATH: process.env.PATH!, TMPDIR: folder, EDITOR: `'${editor}' --wait` }
    return mmctl(['profile', 'edit', ...more], { address: made.address, env })
  }
  const left = () => readdirSync(folder).filter((name) => name.startsWith('mmctl-profile-'))
  return { ...made, edit, left, seen: () => readFileSync(join(folder, 'seen'), 'utf8') }
}

/** What SaveProfile was given. */
function saved(log: readonly string[]): unknown {
  assert.equal(log.length, 1, log.join('\n'))
  return JSON.parse(/^saveProfile\((.*)\)$/.exec(log[0]!)![1]!)
}

test('profile edit: what was changed is saved, and nothing else', has, async (context) => {
  const { api, edit, left, seen } = await editing(context)
  const { stdout, stderr, exitCode } = await edit(
    `sed -i -e 's/^apn.*/apn = web.example/' -e '/^redial.busy/d' -e 's/^number.*/number =/' "$1"; echo 'mtu=1400' >> "$1"`,
  )
  assert.deepEqual([exitCode, stdout, stderr], [0, 'Profile demo is saved: apn, number, mtu, redial.busy.\n', ''])
  assert.deepEqual(saved(api.log), { name: 'demo', apn: 'web.example', number: '', mtu: '1400', 'redial.busy': '' })
  assert.match(
    seen(),
    /\n;password =\n;pin =\n\napn = internet\nnumber = \*99#\nsim =\nautoconnect = yes\npriority = 0\n/,
  )
  assert.deepEqual(left(), [])
})

test('profile edit: nothing changed, nothing saved; secrets only where they are written anew', has, async (context) => {
  const { api, edit, left } = await editing(context)
  assert.equal((await edit(':')).stdout, 'Profile demo is as it was.\n')
  assert.equal(
    (await edit(`sed -i -e 's/ *= */=/' -e '1i # mine' "$1"`, 'demo')).stdout,
    'Profile demo is as it was.\n',
  )
  assert.deepEqual(api.log, [])
  await edit(`sed -i -e 's/^;password =/password = p ä;x/' -e 's/^;pin/pin/' "$1"`)
  assert.deepEqual(saved(api.log), { name: 'demo', password: 'p ä;x', pin: '' })
  assert.deepEqual(left(), [])
  assert.equal((await edit(':', 'nope')).exitCode, 4)
})

test('profile edit: the copy is private; what is refused is kept, and named', has, async (context) => {
  const { api, edit, left } = await editing(context)
  api.saveProfile = async () => {
    throw new ModemdError('InvalidArgs', 'the profile demo is not saved: mtu must be 128 to 1500')
  }
  const modes = `stat -c %a "$1" "$(dirname "$1")" >> "$1.modes"`
  const refused = await edit(`${modes}; echo 'mtu = 9' >> "$1"`)
  assert.equal(refused.exitCode, 2)
  const [, file = ''] =
    /^mmctl: the profile demo is not saved: mtu must .*\n {2}Your text is kept in (.*)\n$/.exec(refused.stderr) ?? []
  assert.match(readFileSync(file, 'utf8'), /\nmtu = 9\n$/)
  assert.equal(readFileSync(`${file}.modes`, 'utf8'), '600\n700\n')
  assert.equal(statSync(file).mode & 0o777, 0o600)
  assert.deepEqual(left(), [dirname(file).split('/').at(-1)])

  const wrong: readonly (readonly [script: string, why: RegExp, exitCode: number])[] = [
    [`echo 'mtu 9' >> "$1"`, /line 15 is no `key = value`/, 2],
    [`echo 'apn = x' >> "$1"`, /line 15: apn is there twice/, 2],
    [`echo 'name = x' >> "$1"`, /line 15: a profile keeps its name/, 2],
    ['exit 3', /the editor ended with 3: nothing was saved/, 1],
    ['exit 127', /the editor ended with 127: name one that is installed in EDITOR/, 1],
  ]
  for (const [script, why, exitCode] of wrong) {
    const ended = await edit(script)
    assert.match(ended.stderr, why)
    assert.equal(ended.exitCode, exitCode)
    assert.ok(existsSync(/kept in (.*)\n$/.exec(ended.stderr)![1]!))
  }
  assert.deepEqual(api.log, [])
})

test('profile edit: one that was removed meanwhile is not made anew of its changes; --json', has, async (context) => {
  const { api, edit } = await editing(context)
  const { stdout } = await edit(`echo 'mtu = 1400' >> "$1"`, '--json')
  assert.equal(at(JSON.parse(stdout), 'apn'), 'internet')
  assert.equal(api.log.length, 1)
  const profiles = [[PROFILE], []]
  api.profiles = () => profiles.shift() ?? []
  const gone = await edit(`echo 'mtu = 1400' >> "$1"`)
  assert.equal(gone.exitCode, 4)
  assert.match(gone.stderr, /the profile demo was removed meanwhile/)
  assert.equal(api.log.length, 1)
})
