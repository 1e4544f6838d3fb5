/** org.modemd.Sim1, on the modem's object. The methods reach the SIM only through the PIN guard behind the modem's commands (DESIGN §7.1). */

import type { ModemHandle, PersonCaller } from '../../modem/snapshot.ts'
import { checkText } from '../arguments.ts'
import type { InterfaceDefinition, MethodDefinition } from '../definition.ts'
import { knownText, knownUint32, NONE } from './known.ts'

export const sim1: InterfaceDefinition<ModemHandle> = {
  name: 'org.modemd.Sim1',
  properties: [
    { name: 'Status', signature: 's', get: ({ snapshot }) => snapshot.sim.status },
    { name: 'Iccid', signature: 's', get: ({ snapshot }) => knownText(snapshot.sim.iccid) },
    { name: 'OperatorName', signature: 's', get: ({ snapshot }) => knownText(snapshot.sim.operatorName) },
    { name: 'PinTries', signature: 'u', get: ({ snapshot }) => knownUint32(snapshot.sim.pinTries) },
    { name: 'PukTries', signature: 'u', get: ({ snapshot }) => knownUint32(snapshot.sim.pukTries) },
  ],
  // A person's call may spend the second try but not the last; …LastTry is for one who was told and is sure.
  methods: [
    { name: 'GetImsi', in: NONE, out: [['imsi', 's']], access: 'control', call: async (modem) => [await modem.imsi()] },
    {
      name: 'SendPin',
      in: [['pin', 's']],
      out: NONE,
      access: 'control',
      call: async (modem, [pin]) => {
        await modem.sendPin(checkText('pin', pin), 'person')
        return []
      },
    },
    {
      name: 'SendPinLastTry',
      in: [['pin', 's']],
      out: NONE,
      access: 'control',
      call: async (modem, [pin]) => {
        await modem.sendPin(checkText('pin', pin), 'person-last-try')
        return []
      },
    },
    {
      name: 'SendPuk',
      in: [
        ['puk', 's'],
        ['newPin', 's'],
      ],
      out: NONE,
      access: 'control',
      call: async (modem, [puk, newPin]) => {
        await modem.sendPuk(checkText('puk', puk), checkText('pin', newPin, 'newPin'))
        return []
      },
    },
    changePin('ChangePin', 'person'),
    changePin('ChangePinLastTry', 'person-last-try'),
    enablePin('EnablePin', 'person'),
    enablePin('EnablePinLastTry', 'person-last-try'),
  ],
  signals: [],
}

function changePin(name: string, caller: PersonCaller): MethodDefinition<ModemHandle> {
  return {
    name,
    in: [
      ['old', 's'],
      ['new', 's'],
    ],
    out: NONE,
    access: 'control',
    call: async (modem, [oldPin, newPin]) => {
      await modem.changePin(checkText('pin', oldPin, 'old'), checkText('pin', newPin, 'new'), caller)
      return []
    },
  }
}

function enablePin(name: string, caller: PersonCaller): MethodDefinition<ModemHandle> {
  return {
    name,
    in: [
      ['pin', 's'],
      ['on', 'b'],
    ],
    out: NONE,
    access: 'control',
    call: async (modem, [pin, on]) => {
      await modem.enablePin(checkText('pin', pin), on === true, caller)
      return []
    },
  }
}
