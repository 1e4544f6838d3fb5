/** Profiles that are saved and removed, and the scripts they name. */

import assert from 'node:assert/strict'
import { chmodSync, readdirSync, readFileSync, statSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { ModemdError } from '../../src/base/errors.ts'
import { Configuration } from '../../src/daemon/config.ts'
import { isRoot, put, withFiles } from './config-rig.ts'

test('a chat script is taken from a file of root under the configuration only', () =>
  withFiles(
    { 'dial.chat': 'ABORT BUSY "" ATD\\T', 'profiles/p.conf': '[profile]\nchat-script = /etc/modemd/dial.chat' },
    (root, home) => {
      const configuration = new Configuration({ root })
      if (!isRoot) {
        assert.match(configuration.faults.join(), /dial\.chat does not belong to root: run chown root/)
        assert.match(
          configuration.faults.join(),
          /only taken from a file of root .*: run chown root (\S+) and chmod go-w,o-r \1/,
        )
        assert.deepEqual(configuration.profiles, [])
        return
      }
      assert.deepEqual(configuration.faults, [])
      assert.equal(configuration.profiles[0]!.chatScript, 'ABORT BUSY "" ATD\\T')
      assert.equal(configuration.profiles[0]!.needsAdministrator, true)

      const faultFor = (script: string) => {
        put(home, 'profiles/p.conf', `[profile]\nchat-script = ${script}`)
        configuration.reload()
        return configuration.faults.join()
      }
      assert.equal(faultFor('dial.chat'), '')
      assert.match(faultFor('/etc/passwd'), /p\.conf:2: chat-script = \/etc\/passwd is not under \/etc\/modemd/)
      assert.match(faultFor('absent'), /is not there/)
      symlinkSync('/etc/passwd', join(home, 'link'))
      assert.match(faultFor('link'), /symbolic link/)
      chmodSync(join(home, 'dial.chat'), 0o666)
      assert.match(faultFor('dial.chat'), /can be written by others: run chmod go-w dial\.chat/)
    },
  ))

test('saved profiles are 0600, keep comments and untold keys, and read the same', () =>
  withFiles(
    { 'profiles/p.conf': '; mine\n[profile]\napn = old ; the old one\npassword = secret\nautoconnect = yes\n' },
    async (root, home) => {
      const configuration = new Configuration({ root })
      await configuration.save({
        name: 'p',
        apn: 'new.net',
        autoconnect: '',
        roaming: true,
        mtu: 1400,
        'redial.busy': '9s',
        username: 'a ;b',
      })
      const path = join(home, 'profiles/p.conf')
      assert.equal(
        readFileSync(path, 'utf8'),
        '; mine\n[profile]\napn = new.net ; the old one\npassword = secret\nroaming = yes\nusername = "a ;b"\n\n[ppp]\nmtu = 1400\n\n[redial]\nbusy = 9s\n',
      )
      assert.equal(statSync(path).mode & 0o777, 0o600)
      const profile = configuration.profiles[0]!
      assert.deepEqual(
        [profile.apn, profile.password, profile.username, profile.autoconnect],
        ['new.net', 'secret', 'a ;b', false],
      )

      const again = configuration.profiles[0]!.fields
      await configuration.save(again)
      assert.deepEqual(configuration.profiles[0]!.fields, again)
      assert.deepEqual(configuration.faults, [])

      await configuration.save({ name: 'q' })
      assert.deepEqual(
        configuration.profiles.map(({ name }) => name),
        ['p', 'q'],
      )
      await configuration.remove('q')
      assert.deepEqual(readdirSync(join(home, 'profiles')), ['p.conf'])
    },
  ))

test('what cannot be saved is refused and changes nothing', () =>
  withFiles({ 'profiles/p.conf': '[profile]\napn = old\n', 'profiles/broken.conf': 'x' }, async (root, home) => {
    const configuration = new Configuration({ root })
    const refused = (fields: Parameters<Configuration['save']>[0], message: RegExp) =>
      assert.rejects(
        configuration.save(fields),
        (error) => error instanceof ModemdError && error.code === 'InvalidArgs' && message.test(error.message),
      )
    await refused({}, /needs a name/)
    await refused({ name: '../p' }, /name of a profile may have/)
    await refused({ name: '..' }, /name of a profile may have/)
    await refused({ name: 'manual' }, /is kept for/)
    await refused({ name: 'p', apn: 'a b' }, /the profile p is not saved: apn may have/)
    await refused({ name: 'p', apn: 'a\n[ppp]' }, /apn must have no control character/)
    await refused({ name: 'p', mtu: 5 }, /mtu must be a whole number/)
    await refused({ name: 'p', 'dial-timeout': 60 }, /with its unit/)
    await refused({ name: 'p', nonsense: 1 }, /no key "nonsense"/)
    await refused({ name: 'p', 'redial.nonsense': 1 }, /no key "redial.nonsense"/)
    await refused({ name: 'broken', apn: 'x' }, /has faults: mend them first/)
    assert.equal(readFileSync(join(home, 'profiles/p.conf'), 'utf8'), '[profile]\napn = old\n')
    await assert.rejects(configuration.remove('absent'), { code: 'NotFound' })
    await assert.rejects(configuration.remove('../modemd'), { code: 'NotFound' })
  }))

test('a file that has become the administrator’s, and was not loaded since, is neither changed nor removed', () =>
  withFiles({ 'profiles/p.conf': '[profile]\napn = a\n' }, async (root, home) => {
    const configuration = new Configuration({ root })
    const text = '[profile]\napn = a\n[ppp]\nengine = pppd\noptions = debug\n'
    put(home, 'profiles/p.conf', text)
    const isRefused = (error: unknown) => error instanceof ModemdError && error.code === 'NotAuthorized'
    await assert.rejects(configuration.save({ name: 'p', number: '*98#' }), isRefused)
    await assert.rejects(configuration.remove('p'), isRefused)
    assert.equal(readFileSync(join(home, 'profiles/p.conf'), 'utf8'), text)
    configuration.reload()
    await configuration.remove('p')
  }))
