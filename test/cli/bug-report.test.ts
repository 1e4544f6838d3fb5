/** `mmctl bug-report`: no secret of the configuration and no personal number gets into it, whatever the files look like. */

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import fc from 'fast-check'
import { SHOWN_KEYS, shownConfiguration } from '../../src/cli/report/configuration.ts'
import { withoutPersonalNumbers } from '../../src/cli/report/mask.ts'
import { reportText, withoutSecrets } from '../../src/cli/report/report.ts'
import { DAEMON_KEYS, DETECT_KEYS, DEVICE_KEYS, PPP_KEYS, PROFILE_KEYS } from '../../src/daemon/config-schema.ts'
import { needs } from '../support/needs.ts'
import { machineOf } from './support/fake-machine.ts'
import { SECOND, scene } from './support/scene.ts'

const has = { ...needs('dbus-daemon'), timeout: 60_000 }

test('the keys that are shown are keys of the configuration, and none of them is secret', () => {
  const keys = { ...DAEMON_KEYS, ...DETECT_KEYS, ...DEVICE_KEYS, ...PROFILE_KEYS, ...PPP_KEYS }
  const secret = Object.entries(keys).flatMap(([name, { isSecret }]) => (isSecret ? [name] : []))
  assert.deepEqual(secret.sort(), ['password', 'pin'])
  for (const name of [...secret, 'username', 'options', 'init']) assert.ok(!SHOWN_KEYS.has(name), name)
  for (const name of ['apn', 'log-level', 'allow', 'baud', 'engine', 'busy']) assert.ok(SHOWN_KEYS.has(name), name)
})

test('a configuration: values of known harmless keys, nothing else', () => {
  const text = `; password = old-sesame
[profile]
apn = internet   ; of joe
username = joe@example
password = "open; ""sesame"""
pasword = typo-secret
pin = 4711
[ppp]
options = debug password other-secret mtu 1400
this is my secret line
[device "tty:/dev/ttyS1"]
init = AT+CPIN=1234
[redial]
busy = 5s
`
  const { text: shown, secrets } = shownConfiguration(text)
  assert.equal(
    shown,
    `[profile]
apn = internet
username = ***
password = ***
pasword = ***
pin = ***
[ppp]
options = ***
[device "tty:/dev/ttyS1"]
init = ***
[redial]
busy = 5s
; 2 comments or broken lines are left out`,
  )
  for (const secret of ['old-sesame', 'joe@example', 'open; "sesame"', 'typo-secret', '4711', 'other-secret'])
    assert.ok(secrets.includes(secret), `${secret} in ${JSON.stringify(secrets)}`)
})

test('numbers of SIMs, modems and telephones, keys and PDUs are masked; what maintainers need is not', () => {
  const masked = {
    'IMEI 356938035643809': 'IMEI 356938*********',
    '/org/modemd/modem/imei_5f356938035643809': '/org/modemd/modem/imei_356938*********',
    'imei_356938035643809 registered': 'imei_356938********* registered',
    'IMSI 262011234567890, ICCID 8949020000012345678F': 'IMSI 262011*********, ICCID ***(20 hex digits)',
    'from +491701234567 to tel01701234567': 'from +49********** to tel017********',
    '+CMT: "+491701234567",,"26/11/22,18:00:00+04"': '+CMT: "+49**********",,"26/11/22,18:00:00+04"',
    '07911326040000F0040B911346610089F60000208062917314080CC8F71D14969741F977FD07': '***(76 hex digits)',
    'the peer refused the CHAP log-in of "joe"x@isp" with "no"': 'the peer refused the CHAP log-in of "***" with "no"',
    'usb 1-2: SerialNumber: A1B2C3': 'usb 1-2: SerialNumber: ***',
    '2026-11-22T18:15:51+0000 modemd[12345]: demo: up': '2026-11-22T18:15:51+0000 modemd[12345]: demo: up',
    '1-2 12d1:1436 rev 0102, 10.64.0.2, ttyUSB0, +CREG: 2,1,"1A2B","01A2B3C4",7':
      '1-2 12d1:1436 rev 0102, 10.64.0.2, ttyUSB0, +CREG: 2,1,"1A2B","01A2B3C4",7',
    'CONNECT 150000000 at /sys/devices/pci0000:00/0000:00:14.0/usb1/1-2':
      'CONNECT 150000000 at /sys/devices/pci0000:00/0000:00:14.0/usb1/1-2',
  }
  for (const [text, wanted] of Object.entries(masked)) {
    assert.equal(withoutPersonalNumbers(text), wanted)
  }
})

/** A secret as configuration takes it; not one that is a piece of a mask or of an empty report. */
const secretText = fc
  .string({ unit: fc.constantFrom(...'abcXYZ019-_.!$%&/()=?{}[]\\+~:@<>|^'), minLength: 6, maxLength: 24 })
  .filter((text) => text.trim() === text && /[a-z]/i.test(text) && !/^["[]/.test(text))

/** A line about it, right or wrong in many ways. */
const secretLine = (secret: string) =>
  fc.constantFrom(
    `password = ${secret}`,
    `password=${secret}`,
    `  password  =  ${secret}   ; mine`,
    `password = "${secret}"`,
    `Password = ${secret}`,
    `pasword = ${secret}`,
    `# password = ${secret}`,
    `;password=${secret}`,
    `pin = ${secret}`,
    `options = debug password ${secret} mtu 1400`,
    `init = ${secret}`,
  )

test('property: no secret of the configuration is in the report, wherever it stands', () => {
  const files = fc.array(
    secretText.chain((secret) => fc.record({ secret: fc.constant(secret), line: secretLine(secret) })),
    { minLength: 1, maxLength: 5 },
  )
  fc.assert(
    fc.property(
      files,
      fc.array(fc.constantFrom('[profile]', '[ppp]', 'apn = internet', '', '; x')),
      (lines, around) => {
        const { text, secrets } = shownConfiguration(
          [...around, ...lines.map(({ line }) => line), ...around].join('\n'),
        )
        const quoted = lines.map(({ secret }) => `2026-11-22T18:15:51 modemd: the peer said "${secret}".`)
        const state = withoutSecrets({ CauseDetail: lines.map(({ secret }) => `Nak: ${secret}`) }, secrets)
        const report = reportText({
          parts: [
            { title: 'profiles/a.conf', text },
            { title: 'Journal', text: quoted.join('\n') },
            { title: 'D-Bus', text: JSON.stringify(state) },
          ],
          secrets,
          leftOut: ['passwords'],
        })
        for (const { secret, line } of lines) assert.ok(!report.includes(secret), `${secret} of ${line} in\n${report}`)
      },
    ),
    { numRuns: 500 },
  )
})

function rootWith(context: TestContext, files: Readonly<Record<string, string>>): string {
  const root = mkdtempSync(join(tmpdir(), 'mmctl-report-'))
  context.after(() => rmSync(root, { recursive: true }))
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(join(root, name, '..'), { recursive: true })
    writeFileSync(join(root, name), text, { mode: 0o600 })
  }
  return root
}

test('who may not read is told to be root, and root is not', (context) => {
  assert.equal(machineOf(context, {}, { uid: 1000 }).asRoot, ' (run it as root)')
  assert.equal(machineOf(context, {}, { uid: 0 }).asRoot, '')
})

test('symbolic links, pipes and endless files in modemd’s folders are told and not read', has, async (context) => {
  const { run } = await scene(context)
  const root = rootWith(context, {
    'etc/modemd/modemd.conf': '[daemon]\nlog-level = debug\n',
    'etc/modemd/profiles/big.conf': ';'.repeat(300_000),
    'etc/modemd/conf.d/x': '',
    'var/lib/modemd/x': '',
    secret: '[profile]\napn = stolen-sesame\n',
  })
  symlinkSync(join(root, 'secret'), join(root, 'etc/modemd/profiles/link.conf'))
  symlinkSync(join(root, 'secret'), join(root, 'var/lib/modemd/ports.json'))
  for (const folder of ['profiles', 'conf.d']) execFileSync('mkfifo', [join(root, `etc/modemd/${folder}/pipe.conf`)])
  const { stdout, exitCode } = await run('bug-report', '-', '--root', root)
  assert.equal(exitCode, 0)
  assert.doesNotMatch(stdout, /stolen-sesame/)
  assert.match(stdout, /^log-level = debug$/m)
  for (const told of [
    '- /etc/modemd/profiles/link.conf: it is a symbolic link',
    '- /etc/modemd/profiles/pipe.conf: it is no regular file',
    '- /etc/modemd/conf.d/pipe.conf: it is no regular file',
    '- /etc/modemd/profiles/big.conf: it is longer than 262144 bytes',
    'ports.json: a symbolic link',
  ])
    assert.ok(stdout.split('\n').includes(told), told)
})

test(
  'the file: for its owner only, with the parts, without SIM and secrets; never over another',
  has,
  async (context) => {
    const { api, run, json } = await scene(context)
    const detail = 'imei_356938035643809 has the number +491701234567'
    api.findings = [{ check: 'modems', state: 'ok', detail, advice: '' }]
    const networkUs = BigInt(Date.UTC(2026, 10, 22, 18)) * 1000n
    api.modems[0]!.time.tell({ networkUs, atUs: networkUs, source: '+CTZE' })
    api.addModem({ ...SECOND, sim: { ...SECOND.sim } })
    api.links[0]!.change({
      state: 'failed',
      cause: 'auth-refused',
      causeDetail: 'the peer refused joe@isp.example / sesame-street',
    })
    const root = rootWith(context, {
      'etc/modemd/profiles/demo.conf':
        '[profile]\nusername = joe@isp.example\npassword = sesame-street\nnumber = *99#\n',
      'var/lib/modemd/ports.json': '{"12d1:1436":{"0":"at"}}',
      'var/lib/modemd/pins.json': '{"hmac":"not for anybody"}',
    })
    const file = join(root, 'report.txt')
    const { exitCode, stdout, stderr } = await run('bug-report', file, '--root', root)
    assert.deepEqual([exitCode, stderr], [0, ''])
    assert.match(
      stdout,
      /^The report is in .*:\slook\sthrough\sit\sbefore\syou\ssend\sit\.\nLeft out:\n {2}passwords, PINs/,
    )
    const items = stdout.slice(stdout.indexOf('Left out:')).split('\n')
    for (const line of items) assert.ok(line.length <= 80, line)
    assert.equal(statSync(file).mode & 0o777, 0o600)
    const text = readFileSync(file, 'utf8')
    const titles = [...text.matchAll(/^== (.*)$/gm)].map(([, title]) => title)
    assert.deepEqual(titles, [
      'modemd bug report',
      'mmctl doctor',
      'mmctl ports',
      'D-Bus',
      'USB devices',
      '/etc/modemd/profiles/demo.conf',
      'State files',
      'Journal of modemd',
      'Kernel log',
      'What is left out',
    ])
    assert.doesNotMatch(
      text,
      /joe@isp.example|sesame-street|8901260862291477113|356938035643809|1701234567|not for anybody/,
    )
    for (const kept of [
      /number = \*99#/,
      /"Model|"model": "E173"/,
      /auth-refused/,
      /12d1:1436/,
      /pins\.json: 26 bytes/,
      /imei_356938\*{9}/,
      /"networkTime": "2026-11-22T18:00:00\.000Z"/,
      /"modem": "imei_356938\*{9}"/,
    ])
      assert.match(text, kept)

    assert.equal(/run it as root/.test(text), process.getuid!() !== 0, 'root is not told to be root')

    assert.equal((await run('bug-report', file)).exitCode, 2)
    assert.equal(readFileSync(file, 'utf8'), text)
    assert.equal((await run('bug-report', join(root, 'nowhere/x'))).exitCode, 1)
    assert.match((await run('bug-report', '-', '--root', root)).stdout, /^== modemd bug report\n/)
    const { document } = await json('bug-report', join(root, 'second.txt'), '--root', root)
    assert.deepEqual(Object.keys(document as object), ['file', 'leftOut'])
    assert.ok(existsSync(join(root, 'second.txt')))
  },
)
