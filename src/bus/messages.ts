/** A modem's short messages on the bus: Messaging1 on its object, and an object of its own for each message. */

import type { Cancel } from '../base/ports.ts'
import type { MessagingSnapshot } from '../modem/features/messaging/snapshot.ts'
import type { ModemHandle } from '../modem/snapshot.ts'
import { messaging1 } from './api/messaging1.ts'
import { sms1 } from './api/sms1.ts'
import { bind, type InterfaceShape } from './definition.ts'
import type { ModemExports, ModemExtension } from './modem-objects.ts'
import { smsPath } from './path-escape.ts'

export const messagingExtension: ModemExtension = {
  interfaceOf: ({ messaging }) => messaging && bind(messaging1, messaging),
  follow: followMessages,
}

function followMessages(modem: ModemHandle, exports: ModemExports): Cancel {
  const messaging = modem.messaging!
  const add = (id: string) => exports.add(smsPath(id), [bind(sms1, { id, modemId: modem.snapshot.id, messaging })])
  const update = (next: MessagingSnapshot, previous: MessagingSnapshot) => {
    const before = new Map(previous.messages.map((message) => [message.id, message]))
    for (const message of next.messages) {
      const known = before.get(message.id)
      before.delete(message.id)
      if (!known) add(message.id)
      else if (known !== message) exports.objectChanged(smsPath(message.id))
    }
    for (const id of before.keys()) exports.remove(smsPath(id))
    exports.changed()
  }
  for (const { id } of messaging.snapshot.messages) add(id)
  const cancels = [
    messaging.onChange(update),
    messaging.onReceived((id) => exports.signal(messaging1 as unknown as InterfaceShape, 'Received', [smsPath(id)])),
  ]
  return () => {
    for (const cancel of cancels) cancel()
  }
}
