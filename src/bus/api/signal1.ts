/** org.modemd.Signal1, on the modem's object: the last measurement and the ones before. */

import type { ModemHandle } from '../../modem/snapshot.ts'
import { checkPollSeconds } from '../arguments.ts'
import type { InterfaceDefinition } from '../definition.ts'
import { knownNumber, knownText, knownUint64, NONE } from './known.ts'

export const signal1: InterfaceDefinition<ModemHandle> = {
  name: 'org.modemd.Signal1',
  properties: [
    { name: 'Technology', signature: 's', get: ({ snapshot }) => knownText(snapshot.signal?.technology) },
    { name: 'Rssi', signature: 'd', get: ({ snapshot }) => knownNumber(snapshot.signal?.rssi) },
    { name: 'Rsrp', signature: 'd', get: ({ snapshot }) => knownNumber(snapshot.signal?.rsrp) },
    { name: 'Rsrq', signature: 'd', get: ({ snapshot }) => knownNumber(snapshot.signal?.rsrq) },
    { name: 'Sinr', signature: 'd', get: ({ snapshot }) => knownNumber(snapshot.signal?.sinr) },
    { name: 'Rscp', signature: 'd', get: ({ snapshot }) => knownNumber(snapshot.signal?.rscp) },
    { name: 'Ecio', signature: 'd', get: ({ snapshot }) => knownNumber(snapshot.signal?.ecio) },
    { name: 'Ber', signature: 'd', get: ({ snapshot }) => knownNumber(snapshot.signal?.ber) },
    { name: 'At', signature: 't', get: ({ snapshot }) => knownUint64(snapshot.signal?.atUs) },
    { name: 'Source', signature: 's', get: ({ snapshot }) => knownText(snapshot.signal?.source) },
  ],
  methods: [
    {
      name: 'SetPoll',
      in: [['seconds', 'u']],
      out: NONE,
      access: 'control',
      call: (modem, [seconds]) => {
        modem.setSignalPoll(checkPollSeconds(seconds))
        return []
      },
    },
    {
      name: 'History',
      in: NONE,
      out: [['history', 'a(td)']],
      access: 'anyone',
      call: (modem) => [
        modem
          .signalHistory()
          .filter(({ atUs, dbm }) => knownUint64(atUs) !== undefined && Number.isFinite(dbm))
          .map(({ atUs, dbm }) => [atUs, dbm]),
      ],
    },
  ],
  signals: [],
}
