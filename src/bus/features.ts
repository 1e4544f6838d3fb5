/** Ussd1, Time1 and Location1 on the modem's object: when they are there, and who tells the bus of what. Named in `modem-objects.ts`. */

import { location1 } from './api/location1.ts'
import { time1 } from './api/time1.ts'
import { ussd1 } from './api/ussd1.ts'
import { bind, type InterfaceShape } from './definition.ts'
import type { ModemExtension } from './modem-objects.ts'

export const ussdExtension: ModemExtension = {
  interfaceOf: ({ ussd }) => ussd && bind(ussd1, ussd),
  follow({ ussd }, exports) {
    const cancelChanges = ussd!.onChange(() => exports.changed())
    const cancelMessages = ussd!.onMessage((kind) => {
      const member = kind === 'request' ? 'NetworkRequest' : 'NetworkNotification'
      exports.signal(ussd1 as unknown as InterfaceShape, member, [])
    })
    return () => {
      cancelChanges()
      cancelMessages()
    }
  },
}

export const timeExtension: ModemExtension = {
  interfaceOf: ({ time }) => time && bind(time1, time),
  // Whether the network gives its time nobody knows before it has.
  isOn: ({ time }) => time?.snapshot !== undefined,
  follow: ({ time }, exports) => time!.onChange(() => exports.changed()),
}

export const locationExtension: ModemExtension = {
  interfaceOf: ({ location }) => location && bind(location1, location),
  // A modem's ports are found one after another.
  isOn: ({ location }) => location?.snapshot.port !== undefined,
  follow: ({ location }, exports) => location!.onChange(() => exports.changed()),
}
