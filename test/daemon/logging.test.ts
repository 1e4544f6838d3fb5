import assert from 'node:assert/strict'
import { PassThrough } from 'node:stream'
import { test } from 'node:test'
import fc from 'fast-check'
import { redacted } from '../../src/base/redactor.ts'
import { createLogger, type LoggingOptions } from '../../src/daemon/logging.ts'

function logged(options: Partial<LoggingOptions>, write: (logger: ReturnType<typeof createLogger>) => void): string {
  const stream = new PassThrough()
  write(createLogger({ level: 'info', secrets: () => [], stream, isJournal: true, ...options }))
  return String(stream.read() ?? '')
}

test('priorities for the journal, time and level elsewhere, fields behind the sentence', () => {
  const text = logged({}, (logger) => {
    logger.error('it failed', { file: 'a b', count: 3, absent: undefined })
    logger.warn('careful')
    logger.info('so it is', { on: true })
    logger.debug('not shown')
  })
  assert.equal(text, '<3>it failed file="a b" count=3\n<4>careful\n<6>so it is on=true\n')
  assert.match(
    logged({ isJournal: false }, (logger) => logger.warn('careful')),
    /^\d{4}-\d\d-\d\dT[\d:.]+Z warn {2}careful\n$/,
  )
})

test('the level can change', () => {
  const text = logged({ level: 'error' }, (logger) => {
    logger.warn('not shown')
    logger.setLevel('debug')
    logger.debug('shown')
  })
  assert.equal(text, '<7>shown\n')
})

test('a line is one line, and drives no terminal', () => {
  const text = logged({}, (logger) => logger.info('a\nb\x1b[31m', { reply: 'x\r\n<0>y' }))
  assert.equal(text, '<6>a\\x0ab\\x1b[31m reply=x\\x0d\\x0a<0>y\n')
})

test('secrets of profiles are masked in sentences and fields, also those of a later reload', () => {
  let secrets = ['hunter22']
  const text = logged({ secrets: () => secrets }, (logger) => {
    logger.info('sent hunter22 to the peer', { password: 'hunter22' })
    secrets = ['new one']
    logger.info('sent new one')
  })
  assert.equal(text, '<6>sent *** to the peer password=***\n<6>sent ***\n')
})

test('AT commands that carry a PIN or a log-in are masked, whatever the profile', () => {
  const samples = [
    ['AT+CPIN="1234"', 'AT+CPIN=***'],
    ['at+cpin = 1234', 'at+cpin =***'],
    ['AT+CPWD="SC","1234","5678"', 'AT+CPWD=***'],
    ['AT+CLCK="SC",1,"1234"', 'AT+CLCK=***'],
    ['AT^CPIN="1234"', 'AT^CPIN=***'],
    ['AT+CFUN=1;+CPIN=1234', 'AT+CFUN=1;+CPIN=***'],
    ['ATD**042*1234*5678*5678#', 'ATD**042****#'],
    ['AT+CGAUTH=1,1,"user","word"', 'AT+CGAUTH=***'],
    ['AT+CPIN?', 'AT+CPIN?'],
    ['AT+CPIN=?', 'AT+CPIN=?'],
    ['+CPIN: SIM PIN', '+CPIN: SIM PIN'],
    ['AT+CGDCONT=1,"IP","internet"', 'AT+CGDCONT=1,"IP","internet"'],
  ] as const
  for (const [text, expected] of samples) assert.equal(redacted(text, []), expected)
})

test('short secrets are masked where they stand alone', () => {
  assert.equal(redacted('a is a at a-z (a) ab', ['a']), '*** is *** at ***-z (***) ab')
  assert.equal(redacted('x$. and x$.', ['$.']), 'x$. and x$.')
})

test('no secret of four characters or more survives', () => {
  const secret = fc
    .string({ minLength: 4, maxLength: 20 })
    .filter((text) => !'***'.includes(text) && !text.includes('*'))
  fc.assert(
    fc.property(
      fc.string(),
      fc.array(secret, { minLength: 1, maxLength: 3 }),
      fc.string(),
      (before, secrets, after) => {
        const text = redacted(before + secrets.join(after) + after, secrets)
        for (const each of secrets) assert.ok(!text.includes(each), text)
      },
    ),
    { seed: 9 },
  )
})

test('paths are without the root, in sentences and fields, and nothing else is touched', () => {
  const root = '/tmp/mo.demd+1'
  const samples = [
    [`/dev/ttyS7 is not there (cannot open ${root}/dev/ttyS7)`, '/dev/ttyS7 is not there (cannot open /dev/ttyS7)'],
    [`EACCES: mkdir '${root}/var/lib/modemd', then "${root}//run"`, `EACCES: mkdir '/var/lib/modemd', then "/run"`],
    [`${root}: it cannot be watched; ${root}.`, `/: it cannot be watched; /.`],
    [
      `/var${root}/x ${root}2/x ${root}.old/x /tmp/moxdemd+1/x`,
      `/var${root}/x ${root}2/x ${root}.old/x /tmp/moxdemd+1/x`,
    ],
  ] as const
  for (const [given, shown] of samples)
    for (const each of [root, `${root}/`]) {
      const text = logged({ root: each }, (logger) => logger.info(given, { file: `${root}/etc/modemd` }))
      assert.equal(text, `<6>${shown} file=/etc/modemd\n`)
    }
  assert.equal(
    logged({ root: './modem' }, (logger) => logger.info('the modem of modem/dev/ttyS7')),
    '<6>the modem of /dev/ttyS7\n',
  )
  for (const none of ['', '/', undefined])
    assert.equal(
      logged({ ...(none !== undefined && { root: none }) }, (logger) => logger.info(`${root}/x`)),
      `<6>${root}/x\n`,
    )
})
