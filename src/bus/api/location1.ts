/** org.modemd.Location1, on the modem's object. Where a modem is, is personal: no property has it. */

import type { Fix, Location } from '../../modem/features/location/snapshot.ts'
import type { InterfaceDefinition } from '../definition.ts'
import { type Variant, variant } from '../signature.ts'
import { knownNumber, knownText, knownUint32, knownUint64, NONE } from './known.ts'

export const location1: InterfaceDefinition<Location> = {
  name: 'org.modemd.Location1',
  properties: [
    { name: 'Enabled', signature: 'b', get: ({ snapshot }) => snapshot.isEnabled },
    { name: 'HasFix', signature: 'b', get: ({ snapshot }) => snapshot.hasFix },
    { name: 'Port', signature: 's', get: ({ snapshot }) => knownText(snapshot.port) },
  ],
  methods: [
    {
      name: 'SetEnabled',
      in: [['on', 'b']],
      out: NONE,
      access: 'control',
      call: async (location, [on]) => {
        await location.setEnabled(on === true)
        return []
      },
    },
    {
      name: 'GetFix',
      in: NONE,
      out: [['fix', 'a{sv}']],
      access: 'control',
      call: (location) => [fields(location.fix())],
    },
  ],
  signals: [],
}

/** Only what the receiver said. */
function fields(fix: Fix): Readonly<Record<string, Variant>> {
  const values = {
    latitude: knownDouble(fix.latitude),
    longitude: knownDouble(fix.longitude),
    altitude: knownDouble(fix.altitude),
    speed: knownDouble(fix.speed),
    course: knownDouble(fix.course),
    hdop: knownDouble(fix.hdop),
    satellites: known('u', knownUint32(fix.satellites)),
    utc: known('t', knownUint64(fix.utcUs)),
    at: known('t', knownUint64(fix.atUs)),
  }
  return Object.fromEntries(
    Object.entries(values).filter((entry): entry is [string, Variant] => entry[1] !== undefined),
  )
}

function knownDouble(value: number | undefined): Variant | undefined {
  return known('d', knownNumber(value))
}

function known(signature: string, value: unknown): Variant | undefined {
  return value === undefined ? undefined : variant(signature, value)
}
