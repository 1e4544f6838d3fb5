/** org.modemd.Modem1: one modem's identity, state and network, and what can be asked of it. */

import { printable } from '../../base/bytes.ts'
import { ModemdError } from '../../base/errors.ts'
import type { SupervisorApi } from '../../link/snapshot.ts'
import type { ModemHandle, ModemSnapshot, Registration } from '../../modem/snapshot.ts'
import { checkConnectOptions, checkText } from '../arguments.ts'
import type { InterfaceDefinition, MethodDefinition } from '../definition.ts'
import { linkPath } from '../path-escape.ts'
import { variant } from '../signature.ts'
import { anyText, knownNumber, knownPercent, knownText, NONE } from './known.ts'

/** As long as the tokenizer reads one. */
const LONGEST_ANSWER_LINE = 8192

export interface Modem1Target {
  readonly modem: ModemHandle
  readonly api: SupervisorApi
  readonly isConsoleOn: () => boolean
}

export const modem1: InterfaceDefinition<Modem1Target> = {
  name: 'org.modemd.Modem1',
  properties: [
    text('Id', ({ id }) => id),
    text('Manufacturer', ({ manufacturer }) => manufacturer),
    text('Model', ({ model }) => model),
    text('Revision', ({ revision }) => revision),
    text('EquipmentIdentifier', ({ equipmentIdentifier }) => equipmentIdentifier),
    text('Device', ({ device }) => device),
    text('Driver', ({ driver }) => driver),
    {
      name: 'Ports',
      signature: 'a(sss)',
      get: ({ modem }) => modem.snapshot.ports.map(({ name, role, owner }) => [anyText(name), role, anyText(owner)]),
    },
    text('State', ({ state }) => state),
    { name: 'StateReason', signature: 's', get: ({ modem }) => anyText(modem.snapshot.stateReason) },
    text('FailedCause', ({ failure }) => failure?.cause),
    text('OperatorName', ({ operatorName }) => operatorName),
    text('OperatorCode', ({ operatorCode }) => operatorCode),
    text('Registration', registrationOf),
    {
      name: 'AccessTechnologies',
      signature: 'as',
      get: ({ modem }) => modem.snapshot.accessTechnologies.map(anyText),
    },
    { name: 'SignalQuality', signature: 'y', get: ({ modem }) => knownPercent(modem.snapshot.signalQuality) },
    { name: 'SignalDbm', signature: 'd', get: ({ modem }) => knownNumber(modem.snapshot.signalDbm) },
    { name: 'OwnNumbers', signature: 'as', get: ({ modem }) => ownNumbers(modem.snapshot) },
    text('PowerState', ({ powerState }) => (powerState === 'unknown' ? undefined : powerState)),
    {
      name: 'Links',
      signature: 'ao',
      get: (target) => linksOf(target).map(({ snapshot }) => linkPath(snapshot.id)),
    },
  ],
  methods: [
    command('Enable', 'control', ({ modem }) => modem.enable()),
    command('Disable', 'control', ({ modem }) => modem.disable()),
    {
      name: 'Connect',
      in: [['options', 'a{sv}']],
      out: [['link', 'o']],
      access: 'connect',
      call: async ({ modem, api }, [dictionary]) => {
        const { options, wait } = checkConnectOptions(dictionary)
        const link = await api.connect('', { ...options, modem: modem.snapshot.id })
        if (wait) await link.settled()
        return [linkPath(link.snapshot.id)]
      },
    },
    command('Disconnect', 'connect', async (target) => {
      await Promise.all(linksOf(target).map(({ snapshot }) => target.api.disconnect(snapshot.id)))
    }),
    {
      name: 'Reset',
      in: [['hard', 'b']],
      out: NONE,
      access: 'administrator',
      call: async ({ modem }, [hard]) => {
        await modem.reset(hard === true)
        return []
      },
    },
    {
      name: 'Scan',
      in: NONE,
      out: [['networks', 'aa{sv}']],
      access: 'control',
      call: async ({ modem }) => [(await modem.scan()).map(networkFields)],
    },
    {
      name: 'Register',
      in: [['plmn', 's']],
      out: NONE,
      access: 'control',
      call: async ({ modem }, [plmn]) => {
        await modem.register(checkText('plmn', plmn))
        return []
      },
    },
    consoleMethod('Command', false),
    consoleMethod('ForceCommand', true),
  ],
  signals: [
    {
      name: 'StateChanged',
      args: [
        ['old', 's'],
        ['new', 's'],
        ['cause', 's'],
      ],
    },
  ],
}

/** A modem whose radio is off is not asked: it is registered nowhere and looks for nothing (3GPP TS 27.007 §7.2, 0). */
function registrationOf({ registration, state }: ModemSnapshot): Registration {
  return state === 'disabled' && registration === 'unknown' ? 'idle' : registration
}

/** A SIM that has none stored says nothing of what its numbers are. */
function ownNumbers({ ownNumbers: numbers }: ModemSnapshot): readonly string[] | undefined {
  return numbers.length > 0 ? numbers.map(anyText) : undefined
}

/** The links that use this modem now. */
function linksOf({ modem, api }: Modem1Target) {
  return api.links.filter(({ snapshot }) => snapshot.modem === modem.snapshot.id)
}

function text(name: string, get: (snapshot: ModemSnapshot) => string | undefined) {
  return { name, signature: 's', get: ({ modem }: Modem1Target) => knownText(get(modem.snapshot)) }
}

function command(name: string, access: 'connect' | 'control', run: (target: Modem1Target) => Promise<void>) {
  const call = async (target: Modem1Target) => {
    await run(target)
    return []
  }
  return { name, in: NONE, out: NONE, access, call }
}

/** While the console is off for everybody, nobody is asked who they are. */
function consoleMethod(name: string, isForced: boolean): MethodDefinition<Modem1Target> {
  return {
    name,
    in: [
      ['at', 's'],
      ['timeoutMs', 'u'],
    ],
    out: [['response', 's']],
    access: ({ isConsoleOn }) => (isConsoleOn() ? 'at-console' : 'anyone'),
    call: async ({ modem, isConsoleOn }, [line, timeoutMs]) => {
      if (!isConsoleOn())
        throw new ModemdError(
          'Unsupported',
          'The AT console is off: set at-console = yes in [daemon] of modemd.conf, and run `systemctl reload modemd`.',
        )
      if (!modem.console) throw new ModemdError('Unsupported', 'This modem has no AT console.')
      const answer = await modem.console.command({ line: line as string, timeoutMs: timeoutMs as number, isForced })
      return [
        answer
          .split('\n')
          .map((each) => printable(each, LONGEST_ANSWER_LINE))
          .join('\n'),
      ]
    },
  }
}

function networkFields(network: Readonly<Record<'plmn' | 'name' | 'status' | 'technology', string>>) {
  const { plmn, name, status, technology } = network
  return Object.fromEntries(
    Object.entries({ plmn, name, status, technology })
      .filter(([, value]) => value !== '')
      .map(([key, value]) => [key, variant('s', anyText(value))]),
  )
}
