/** Whose files are taken as profiles, and with which permissions; what is told of the others. */

import assert from 'node:assert/strict'
import { chmodSync, chownSync, readFileSync, symlinkSync, unlinkSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { Configuration } from '../../src/daemon/config.ts'
import { checkProfile } from '../../src/daemon/config-profile.ts'
import { isRoot, put, withFiles } from './config-rig.ts'

const SECRET = '[profile]\napn = x\npin = 1234\n'
const PLAIN = '[profile]\napn = x\n'
const NOBODY = 65_534
const SHOWN = '/etc/modemd/profiles/p.conf'
const AS_ROOT = isRoot ? {} : { skip: 'only root can give a file to another user' }

function namesIn({ profiles }: Configuration): readonly string[] {
  return profiles.map(({ name }) => name)
}

test('a profile that others can write is refused, with the chmod to run', () =>
  withFiles({}, (root, home) => {
    for (const [text, line] of [
      [SECRET, 3],
      [PLAIN, 1],
    ] as const)
      for (const mode of [0o620, 0o602, 0o660]) {
        put(home, 'profiles/p.conf', text, mode)
        const configuration = new Configuration({ root })
        assert.deepEqual(configuration.faults, [
          `${SHOWN}:${line}: can be written by others than its owner: run chmod 600 ${SHOWN}`,
        ])
        assert.deepEqual(namesIn(configuration), [])
      }
    put(home, 'profiles/p.conf', SECRET, 0o666)
    assert.deepEqual(new Configuration({ root }).faults, [
      `${SHOWN}:3: has a secret and everyone can read it: run chmod 600 ${SHOWN}`,
    ])
    put(home, 'profiles/p.conf', SECRET, 0o640)
    put(home, 'profiles/q.conf', PLAIN, 0o644)
    const good = new Configuration({ root })
    assert.deepEqual([good.faults, namesIn(good)], [[], ['p', 'q']])
  }))

test('a profile of another user is refused, with the chown to run', AS_ROOT, () =>
  withFiles({ 'profiles/p.conf': SECRET, 'profiles/q.conf': PLAIN }, (root, home) => {
    for (const name of ['p', 'q']) chownSync(join(home, `profiles/${name}.conf`), NOBODY, NOBODY)
    const refused = new Configuration({ root })
    assert.deepEqual(refused.faults, [
      `${SHOWN}:3: belongs to the user number 65534, who may change it: run chown root ${SHOWN} && chmod 600 ${SHOWN}`,
      `${SHOWN}:1: belongs to the user number 65534, who may change it: run chown root ${SHOWN} && chmod 600 ${SHOWN}`.replaceAll(
        'p.conf',
        'q.conf',
      ),
    ])
    assert.deepEqual(namesIn(refused), [])

    // As the package has it, where root is the daemon for once.
    chownSync(join(home, 'profiles'), NOBODY, NOBODY)
    const taken = new Configuration({ root })
    assert.deepEqual([taken.faults, namesIn(taken)], [[], ['p', 'q']])
    chownSync(join(home, 'profiles/q.conf'), 1, 1)
    assert.match(new Configuration({ root }).faults.join(), /user number 1, .*: run chown 65534 \S+ && chmod 600 \S+$/)
  }),
)

test('what another user wrote does not become ours by being saved', AS_ROOT, () =>
  withFiles({ 'profiles/p.conf': '[profile]\nnumber = 0900123\n' }, async (root, home) => {
    const file = join(home, 'profiles/p.conf')
    const configuration = new Configuration({ root })
    const before = readFileSync(file, 'utf8')
    const save = () => configuration.save({ name: 'p', apn: 'x' })
    chownSync(file, NOBODY, NOBODY)
    await assert.rejects(save(), { code: 'InvalidArgs', message: /has faults: mend them first/ })
    chownSync(file, 0, 0)
    chmodSync(file, 0o622)
    await assert.rejects(save(), { code: 'InvalidArgs', message: /has faults: mend them first/ })
    assert.equal(readFileSync(file, 'utf8'), before)
    chmodSync(file, 0o644)
    await save()
    assert.equal(configuration.profiles[0]?.number, '0900123')
  }),
)

test('the daemon as a user of its own: its files and root’s, and who should have the others', () => {
  const faultsFor = (ownerUid: number, mode = 0o600) =>
    checkProfile({ name: 'p', file: 'p', text: PLAIN, mode, ownerUid, keeperUids: [990, 990] }, () => ({ text: '' }))
      .faults.map(({ reason }) => reason)
      .join()
  assert.deepEqual([faultsFor(990), faultsFor(0, 0o640)], ['', ''])
  assert.equal(faultsFor(1000), 'belongs to the user number 1000, who may change it: run chown 990 p && chmod 600 p')
  assert.match(faultsFor(0, 0o660), /: run chown 990 p && chmod 600 p$/)
  assert.match(faultsFor(990, 0o660), /: run chmod 600 p$/)
})

test('a profile whose name begins with a dot is one like others; what an editor hides is none', () =>
  withFiles({ 'profiles/.hand.conf': PLAIN, 'conf.d/.hidden.conf': 'not read' }, async (root, home) => {
    for (const name of ['.conf', '..conf', '...conf', '.#p.conf', '.p.conf.1.tmp']) put(home, `profiles/${name}`, 'x')
    const configuration = new Configuration({ root })
    await configuration.save({ name: '.hid', apn: 'y' })
    assert.deepEqual([configuration.faults, namesIn(configuration)], [[], ['.hand', '.hid']])
    put(home, 'profiles/.hand.conf', '[profile]\nanp = x')
    assert.match(new Configuration({ root }).faults.join(), /profiles\/\.hand\.conf:2: .*did you mean apn\?$/)
    await configuration.remove('.hid')
    assert.deepEqual(namesIn(new Configuration({ root })), [])
  }))

test('a symbolic link to nothing is said, wherever it is', () => {
  for (const place of ['modemd.conf', 'conf.d/a.conf', 'profiles/m.conf', 'profiles', 'conf.d'])
    withFiles({}, (root, home) => {
      if (place.includes('/')) put(home, `${place}.kept`, '')
      symlinkSync('nowhere', join(home, place))
      const { faults } = new Configuration({ root })
      const said = `/etc/modemd/${place}:1: is a symbolic link to what is not there: remove it, or put there what it names`
      assert.deepEqual(faults, [said])
    })
})

test('a profile whose link leads nowhere later has not lost its last good form', () =>
  withFiles({ 'real.conf': PLAIN, 'profiles/keep': '' }, (root, home) => {
    symlinkSync('../real.conf', join(home, 'profiles/p.conf'))
    const configuration = new Configuration({ root })
    assert.deepEqual([configuration.consequences, namesIn(configuration)], [[], ['p']])
    unlinkSync(join(home, 'real.conf'))
    put(home, 'profiles/q.conf', 'x')
    put(home, 'modemd.conf', 'x')
    configuration.reload()
    assert.deepEqual(namesIn(configuration), ['p'])
    assert.deepEqual(configuration.consequences, [
      'modemd.conf and its drop-ins have faults: what they said before stays in force until they are mended.',
      'The profile p stays as it was until /etc/modemd/profiles/p.conf is mended.',
      'The profile q is left out until /etc/modemd/profiles/q.conf is mended.',
    ])
  }))
