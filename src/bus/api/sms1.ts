/** org.modemd.Sms1: one short message, at /org/modemd/sms/ID. Who sent it and what it says only `Read` tells. */

import type { MessageSnapshot, Messaging } from '../../modem/features/messaging/snapshot.ts'
import type { InterfaceDefinition } from '../definition.ts'
import { modemPath } from '../path-escape.ts'
import { knownText, knownUint32, NONE } from './known.ts'

export interface Sms1Target {
  readonly id: string
  readonly modemId: string
  readonly messaging: Messaging
}

function messageOf({ id, messaging }: Sms1Target): MessageSnapshot | undefined {
  return messaging.snapshot.messages.find((message) => message.id === id)
}

export const sms1: InterfaceDefinition<Sms1Target> = {
  name: 'org.modemd.Sms1',
  properties: [
    { name: 'Modem', signature: 'o', get: ({ modemId }) => modemPath(modemId) },
    { name: 'Timestamp', signature: 's', get: (target) => knownText(messageOf(target)?.timestamp) },
    { name: 'State', signature: 's', get: (target) => messageOf(target)?.state },
    { name: 'Parts', signature: 'u', get: (target) => knownUint32(messageOf(target)?.parts) },
    { name: 'PartsHere', signature: 'u', get: (target) => knownUint32(messageOf(target)?.partsHere) },
    { name: 'Encoding', signature: 's', get: (target) => knownText(messageOf(target)?.encoding) },
    { name: 'Flash', signature: 'b', get: (target) => messageOf(target)?.isFlash },
    { name: 'Stored', signature: 'b', get: (target) => messageOf(target)?.isStored },
  ],
  methods: [
    {
      name: 'Read',
      in: NONE,
      out: [
        ['number', 's'],
        ['text', 's'],
      ],
      access: 'messaging',
      call: ({ id, messaging }) => {
        const { number, text } = messaging.read(id)
        return [number, text]
      },
    },
  ],
  signals: [],
}
