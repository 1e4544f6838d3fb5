/** org.modemd.Time1, on the modem's object: what time the network says it is. */

import type { NetworkTime } from '../../modem/features/time/snapshot.ts'
import type { InterfaceDefinition } from '../definition.ts'
import { knownInt32, knownText, knownUint32, knownUint64 } from './known.ts'

export const time1: InterfaceDefinition<NetworkTime> = {
  name: 'org.modemd.Time1',
  properties: [
    { name: 'NetworkTime', signature: 't', get: ({ snapshot }) => knownUint64(snapshot?.networkUs) },
    { name: 'Offset', signature: 'i', get: ({ snapshot }) => knownInt32(snapshot?.offsetMinutes) },
    { name: 'DaylightHours', signature: 'u', get: ({ snapshot }) => knownUint32(snapshot?.daylightHours) },
    { name: 'At', signature: 't', get: ({ snapshot }) => knownUint64(snapshot?.atUs) },
    { name: 'Source', signature: 's', get: ({ snapshot }) => knownText(snapshot?.source) },
  ],
  methods: [],
  signals: [],
}
