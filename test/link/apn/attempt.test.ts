/** `apn = auto` over a whole link: which access points are tried, when the next one is, what is remembered and what is said. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ModemdError } from '../../../src/base/errors.ts'
import { silentLogger } from '../../../src/base/ports.ts'
import { ApnBook } from '../../../src/link/apn/book.ts'
import type { RememberedApn } from '../../../src/link/apn/memory.ts'
import type { AccessPoint, Provider } from '../../../src/link/apn/providers.ts'
import type { SubscriberQueries } from '../../../src/modem/features/subscriber/snapshot.ts'
import type { DialFailure } from '../../../src/modem/snapshot.ts'
import { FakeModem } from '../../support/fake-modem.ts'
import { AUTO, assertAtRest, assertFailed, connect, Rig } from '../rig.ts'

const ICCID = '8931440400000000017'
const PLAIN: AccessPoint = {
  apn: '',
  name: '',
  plans: [],
  usage: 'internet',
  username: '',
  password: '',
  auth: '',
  dns: [],
}
const WEB: AccessPoint = { ...PLAIN, apn: 'web.example', username: 'guest', password: 'guestpw', dns: ['198.51.100.7'] }
const PLANS: AccessPoint = { ...PLAIN, apn: 'plans.example' }
const REFUSED: DialFailure = { cause: 'apn-refused', detail: '+CME ERROR: 133 to ATD*99#', chatExit: 8 }

const provider = (name: string, ...accessPoints: AccessPoint[]): Provider => ({
  country: 'xx',
  names: [name],
  isPrimary: undefined,
  accessPoints,
})

/** A SIM of 999-01 that remembers how often it was asked. */
class FakeSubscriber implements SubscriberQueries {
  asked = 0
  name: string | undefined
  refusal: ModemdError | undefined

  async operator() {
    this.asked++
    if (this.refusal) throw this.refusal
    return { mcc: '999', mnc: '01' }
  }

  async providerName() {
    return this.name
  }
}

class ApnRig extends Rig {
  readonly memory = new Map<string, RememberedApn>()
  readonly subscriber: FakeSubscriber

  constructor(
    text = '',
    providers: readonly Provider[] = [provider('Example', WEB, PLANS)],
    memory: readonly [string, RememberedApn][] = [],
  ) {
    const subscriber = new FakeSubscriber()
    const known = new Map(memory)
    const apns = new ApnBook({
      database: {
        providersOf: async ({ mcc, mnc }) => (mcc === '999' && mnc === '01' ? providers : []),
      },
      memory: known as Pick<Map<string, RememberedApn>, 'get' | 'set'> & {
        set(iccid: string, apn: RememberedApn): void
      },
      logger: silentLogger,
    })
    super({ demo: text }, { apns, modems: [Object.assign(new FakeModem(), { subscriber })] })
    this.memory = known
    this.subscriber = subscriber
  }

  /** Every dial from here on is answered: refused, unless it is one of these. */
  refuseAllBut(...accepted: string[]): void {
    this.modem.onDial = (dial) => {
      if (accepted.includes(dial.request.apn)) dial.connect('CONNECT')
      else dial.fail(REFUSED)
    }
  }

  get dialled(): string[] {
    return this.modem.dials.map(({ request }) => request.apn)
  }
}

test('the next only where one was refused; what worked is remembered and used the next time at once', async () => {
  const rig = new ApnRig()
  rig.refuseAllBut('plans.example')
  const { answer, link } = await connect(rig)
  assert.deepEqual(rig.dialled, ['web.example', 'plans.example'])
  assert.equal(link.snapshot.apn, 'plans.example')
  assert.deepEqual(rig.modem.dials[1]?.request.refusedApns, ['web.example'])
  assert.equal(rig.memory.get(ICCID), undefined, 'not before it is up')
  rig.session.up([])
  await rig.settle()
  assert.equal(answer.end, 'done')
  assert.deepEqual(rig.memory.get(ICCID), { apn: 'plans.example', hasLogIn: false })
  assert.equal(link.snapshot.attempts, 1)

  await link.down()
  assert.equal(link.snapshot.apn, undefined)
  const asked = rig.subscriber.asked
  await connect(rig)
  assert.deepEqual(rig.dialled.slice(2), ['plans.example'])
  assert.equal(rig.subscriber.asked, asked, 'neither SIM nor database is asked')
  rig.session.up([])
  await rig.settle()
  await link.down()
  assertAtRest(rig)
})

test('the log-in and the name servers of the access point, where profile and network have none', async () => {
  const rig = new ApnRig()
  rig.refuseAllBut('web.example')
  await connect(rig)
  const { user, password } = rig.session.options.settings
  assert.deepEqual([user, password], ['guest', 'guestpw'])
  rig.session.up([])
  await rig.settle()
  assert.deepEqual(rig.resolver.log, ['ppp0: 198.51.100.7'])
  assert.deepEqual(rig.memory.get(ICCID), { apn: 'web.example', hasLogIn: true })

  const own = new ApnRig('[profile]\nusername = me\npassword = mine')
  own.refuseAllBut('web.example')
  await connect(own)
  const { settings } = own.session.options
  assert.deepEqual([settings.user, settings.password], ['me', 'mine'])
  own.session.up(['198.51.100.53'])
  await own.settle()
  assert.deepEqual(own.resolver.log, ['ppp0: 198.51.100.53'])
})

test('a remembered one whose log-in the database has is dialled with it', async () => {
  const rig = new ApnRig('', undefined, [[ICCID, { apn: 'web.example', hasLogIn: true }]])
  rig.refuseAllBut('web.example')
  await connect(rig)
  assert.deepEqual(rig.dialled, ['web.example'])
  assert.equal(rig.session.options.settings.user, 'guest')
})

test('a remembered one that is refused now: all others once, and the new one is remembered', async () => {
  const rig = new ApnRig('', undefined, [[ICCID, { apn: 'old.example', hasLogIn: false }]])
  rig.refuseAllBut('')
  await connect(rig)
  assert.deepEqual(rig.dialled, ['old.example', 'web.example', 'plans.example', ''])
  assert.equal(rig.link().snapshot.apn, '')
  rig.session.up()
  await rig.settle()
  assert.deepEqual(rig.memory.get(ICCID), { apn: '', hasLogIn: false })
})

test('all refused: all are named, and it is not tried again by itself', async () => {
  const rig = new ApnRig()
  rig.refuseAllBut()
  const { answer } = await connect(rig)
  assert.deepEqual(rig.dialled, ['web.example', 'plans.example', ''])
  const detail =
    "the network accepted no APN: web.example (+CME ERROR: 133), plans.example (+CME ERROR: 133), the network's own (+CME ERROR: 133)"
  assertFailed(rig, answer, 'apn-refused', new RegExp(`^${detail.replace(/[+()]/g, '\\$&')}$`))
  assert.equal(rig.link().snapshot.chatExit, 8)
  assert.equal(rig.memory.size, 0)

  const lasting = new ApnRig(AUTO)
  lasting.refuseAllBut()
  await lasting.clock.advance(3_600_000)
  assert.equal(lasting.dialled.length, 3)
  assert.equal(lasting.state(), 'failed')
})

test('a given APN is never replaced, and named when it is refused', async () => {
  const rig = new ApnRig('[profile]\napn = mine.example', undefined, [[ICCID, { apn: 'web.example', hasLogIn: true }]])
  rig.refuseAllBut('web.example')
  const { answer } = await connect(rig)
  assertFailed(rig, answer, 'apn-refused', /^the APN mine\.example: \+CME ERROR: 133 to ATD\*99#$/)
  assert.deepEqual([rig.dialled, rig.subscriber.asked], [['mine.example'], 0])
  assert.deepEqual(rig.memory.get(ICCID), { apn: 'web.example', hasLogIn: true })

  rig.refuseAllBut('by.hand')
  await connect(rig, { apn: 'by.hand' })
  rig.session.up()
  await rig.settle()
  assert.equal(rig.memory.get(ICCID)?.apn, 'web.example', 'what was given says nothing of auto')
})

test('another failure ends the attempt with this access point, and the redial begins with the first again', async () => {
  const rig = new ApnRig(AUTO)
  const answers: DialFailure[] = [REFUSED, { cause: 'no-carrier', detail: 'NO CARRIER to ATD*99#', chatExit: 5 }]
  rig.modem.onDial = (dial) => {
    const failure = answers.shift()
    if (failure) dial.fail(failure)
  }
  await rig.settle()
  await rig.clock.advance(0)
  assert.deepEqual(rig.dialled, ['web.example', 'plans.example'])
  assert.equal(rig.link().snapshot.cause, 'no-carrier')
  await rig.clock.advance(10_000)
  assert.deepEqual(rig.dialled, ['web.example', 'plans.example', 'web.example'])
})

test('refused after CONNECT, as the modem says it: the next', async () => {
  const rig = new ApnRig()
  await connect(rig)
  const call = rig.dial.connect('CONNECT')
  call.reason = { cause: 'apn-refused', detail: 'NO CARRIER; +CEER: Missing or unknown APN (#27)' }
  await rig.settle()
  rig.session.down({ cause: 'hung-up', detail: 'NO CARRIER' }, 16)
  await rig.settle()
  assert.deepEqual(rig.dialled, ['web.example', 'plans.example'])
  assert.equal(rig.state(), 'dialling')
  assert.equal(rig.link().snapshot.cause, undefined)
})

test('once it was up, no access point is at fault', async () => {
  const rig = new ApnRig()
  await connect(rig)
  rig.dial.connect('CONNECT')
  await rig.settle()
  rig.session.up()
  await rig.settle()
  rig.session.down({ cause: 'auth-refused', detail: 'asked again, and refused' }, 19)
  await rig.settle()
  assert.deepEqual(rig.dialled, ['web.example'])
  assert.deepEqual([rig.state(), rig.link().snapshot.cause], ['failed', 'auth-refused'])
})

test('a log-in that came with the access point is refused: the next; one of the profile: the end', async () => {
  for (const [text, dialled] of [
    ['', ['web.example', 'plans.example']],
    ['[profile]\nusername = me\npassword = mine', ['web.example']],
  ] as const) {
    const rig = new ApnRig(text)
    await connect(rig)
    rig.dial.connect('CONNECT')
    await rig.settle()
    rig.session.down({ cause: 'auth-refused', detail: 'the peer refused the password' }, 19)
    await rig.settle()
    assert.deepEqual(rig.dialled, dialled)
  }
})

test('a SIM that does not tell, and one without a subscriber’s face: the network chooses', async () => {
  const rig = new ApnRig()
  rig.subscriber.refusal = new ModemdError('Timeout', 'no answer', 'modem-silent')
  await connect(rig)
  assert.deepEqual(rig.dialled, [''])
})

test('MVNOs by the SIM’s own name, before the network’s', async () => {
  const providers = [provider('Big Network', PLANS), provider('Thrifty', WEB)]
  for (const [ofSim, operatorName, first] of [
    [undefined, undefined, 'plans.example'],
    ['thrifty', 'Big Network', 'web.example'],
    [undefined, 'Thrifty', 'web.example'],
  ] as const) {
    const rig = new ApnRig('', providers)
    rig.subscriber.name = ofSim
    rig.modem.set({ operatorName })
    await connect(rig)
    assert.equal(rig.dialled[0], first)
    await rig.link().down()
  }
  const abroad = new ApnRig('[profile]\nroaming = yes', providers)
  abroad.modem.set({ operatorName: 'Thrifty', registration: 'roaming' })
  await connect(abroad)
  assert.equal(abroad.dialled[0], 'plans.example', 'abroad the network’s name is not the SIM’s')
})

test('a disconnect ends the look for an access point, and the tries', async () => {
  const looking = new ApnRig()
  looking.subscriber.operator = () => new Promise(() => {})
  await connect(looking)
  assert.equal(looking.state(), 'waiting')
  await looking.link().down()
  assert.deepEqual([looking.state(), looking.dialled], ['idle', []])
  assertAtRest(looking)

  const trying = new ApnRig()
  await connect(trying)
  trying.dial.fail(REFUSED)
  await trying.settle()
  await trying.link().down()
  assert.deepEqual([trying.state(), trying.dialled.length], ['idle', 2])
  assertAtRest(trying)
})

test('what is known for a network and for a SIM', async () => {
  const rig = new ApnRig(
    '',
    [provider('Example', WEB, { ...PLANS, usage: 'mms' })],
    [[ICCID, { apn: 'own', hasLogIn: false }]],
  )
  const offers = await rig.supervisor.apnsOf('99901')
  assert.deepEqual(offers[0], {
    apn: 'web.example',
    name: '',
    plans: [],
    usage: 'internet',
    auth: '',
    dns: ['198.51.100.7'],
    provider: 'Example',
    country: 'xx',
    user: 'guest',
    hasPassword: true,
    isRemembered: false,
  })
  assert.ok(!JSON.stringify(offers).includes('guestpw'))
  const { id } = rig.modem.snapshot
  const ofModem = await rig.supervisor.apnsOf(id)
  assert.deepEqual(
    ofModem.map(({ apn, isRemembered }) => [apn, isRemembered]),
    [
      ['own', true],
      ['web.example', false],
      ['plans.example', false],
    ],
  )
  assert.deepEqual(await rig.supervisor.apnsOf('99902'), [])
  await assert.rejects(rig.supervisor.apnsOf('nobody'), /There is no modem "nobody"/)
  rig.subscriber.operator = async () => undefined as never
  await assert.rejects(rig.supervisor.apnsOf(id), /The SIM of .* does not tell whose it is: give its network/)
})

test('a profile bound to a SIM takes the modem that has it, and waits where none has', async () => {
  const bound = new ApnRig(`[profile]\nsim = ${ICCID}F`)
  bound.refuseAllBut('web.example')
  await connect(bound)
  assert.deepEqual(bound.dialled, ['web.example'])
  const other = new ApnRig('[profile]\nsim = 8931440400000000025\ndial-timeout = 5s')
  const { answer } = await connect(other)
  await other.clock.advance(5000)
  assertFailed(other, answer, 'modem-gone', /no modem has the SIM 8931440400000000025/)
  assert.deepEqual(other.dialled, [])
})
