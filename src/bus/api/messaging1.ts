/** org.modemd.Messaging1, on the modem's object: its short messages, and sending. Numbers and texts are in no property. */

import { ModemdError } from '../../base/errors.ts'
import { recipientFault } from '../../base/recipient.ts'
import type { Messaging, SendOptions } from '../../modem/features/messaging/snapshot.ts'
import type { InterfaceDefinition } from '../definition.ts'
import { smsPath } from '../path-escape.ts'
import type { Variant } from '../signature.ts'
import { knownText, knownUint32, NONE } from './known.ts'

/** 63 weeks: the longest that a service centre can be told. */
const MAX_VALIDITY_MINUTES = 63 * 7 * 24 * 60

export const messaging1: InterfaceDefinition<Messaging> = {
  name: 'org.modemd.Messaging1',
  properties: [
    { name: 'Messages', signature: 'ao', get: ({ snapshot }) => snapshot.messages.map(({ id }) => smsPath(id)) },
    { name: 'Storage', signature: 's', get: ({ snapshot }) => knownText(snapshot.memory?.name) },
    { name: 'StorageUsed', signature: 'u', get: ({ snapshot }) => knownUint32(snapshot.memory?.used) },
    { name: 'StorageTotal', signature: 'u', get: ({ snapshot }) => knownUint32(snapshot.memory?.total) },
    { name: 'StorageFull', signature: 'b', get: ({ snapshot }) => snapshot.isFull },
  ],
  methods: [
    {
      name: 'Send',
      in: [
        ['to', 's'],
        ['text', 's'],
      ],
      out: [['message', 'o']],
      access: 'messaging',
      call: async (messaging, [to, text]) => [smsPath(await messaging.send(checkRecipient(to), String(text)))],
    },
    {
      name: 'SendWithOptions',
      in: [
        ['to', 's'],
        ['text', 's'],
        ['options', 'a{sv}'],
      ],
      out: [['message', 'o']],
      access: 'messaging',
      call: async (messaging, [to, text, options]) => [
        smsPath(await messaging.send(checkRecipient(to), String(text), checkOptions(options))),
      ],
    },
    {
      name: 'Delete',
      in: [['message', 'o']],
      out: NONE,
      access: 'messaging',
      call: async (messaging, [path]) => {
        const message = messaging.snapshot.messages.find(({ id }) => smsPath(id) === path)
        if (!message) throw new ModemdError('NotFound', 'This modem has no such message: see "mmctl sms list".')
        await messaging.delete(message.id)
        return []
      },
    },
    {
      name: 'CountParts',
      in: [['text', 's']],
      out: [
        ['parts', 'u'],
        ['encoding', 's'],
      ],
      access: 'anyone',
      call: (messaging, [text]) => {
        const { parts, encoding } = messaging.countParts(String(text))
        return [parts, encoding]
      },
    },
  ],
  signals: [{ name: 'Received', args: [['message', 'o']] }],
}

function checkRecipient(value: unknown): string {
  const to = String(value)
  const fault = recipientFault(to)
  if (fault !== undefined) throw new ModemdError('InvalidArgs', `to ${fault}.`)
  return to
}

const OPTION_SIGNATURES: Readonly<Record<string, string>> = { report: 'b', validity: 'u', flash: 'b' }

function checkOptions(dictionary: unknown): SendOptions {
  const given = Object.entries(dictionary as Readonly<Record<string, Variant>>)
  for (const [key, { signature }] of given) {
    const wanted = Object.hasOwn(OPTION_SIGNATURES, key) ? OPTION_SIGNATURES[key] : undefined
    if (wanted === undefined)
      throw new ModemdError(
        'InvalidArgs',
        `There is an unknown option: use ${Object.keys(OPTION_SIGNATURES).join(', ')}.`,
      )
    if (signature !== wanted) throw new ModemdError('InvalidArgs', `The option ${key} must have the type ${wanted}.`)
  }
  const values = Object.fromEntries(given.map(([key, { value }]) => [key, value]))
  const validityMinutes = values.validity === undefined ? undefined : Number(values.validity)
  if (validityMinutes !== undefined && (validityMinutes < 1 || validityMinutes > MAX_VALIDITY_MINUTES))
    throw new ModemdError('InvalidArgs', `validity must be 1 to ${MAX_VALIDITY_MINUTES} minutes.`)
  return { wantsReport: values.report === true, isFlash: values.flash === true, validityMinutes }
}
