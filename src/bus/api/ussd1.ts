/**
 * org.modemd.Ussd1, on the modem's object: codes to the network and its answers. A signal and a property reach everybody on the bus,
 * and what the network says is personal: only the methods give it.
 */

import { printable } from '../../base/bytes.ts'
import { ModemdError } from '../../base/errors.ts'
import type { Ussd } from '../../modem/features/ussd/snapshot.ts'
import { checkText } from '../arguments.ts'
import type { InterfaceDefinition } from '../definition.ts'
import { NONE } from './known.ts'

/** Of a line; the modem's side has a limit of its own for all of it. */
const LONGEST_LINE = 1000

export const ussd1: InterfaceDefinition<Ussd> = {
  name: 'org.modemd.Ussd1',
  properties: [{ name: 'State', signature: 's', get: ({ state }) => state }],
  methods: [
    {
      name: 'Initiate',
      in: [['code', 's']],
      out: [['answer', 's']],
      access: 'messaging',
      call: async (ussd, [code]) => [shown(await ussd.initiate(checkText('ussdCode', code, 'code')))],
    },
    {
      name: 'Respond',
      in: [['text', 's']],
      out: [['answer', 's']],
      access: 'messaging',
      call: async (ussd, [text]) => [shown(await ussd.respond(checkText('ussdText', text, 'text')))],
    },
    {
      name: 'Cancel',
      in: NONE,
      out: NONE,
      access: 'messaging',
      call: async (ussd) => {
        await ussd.cancel()
        return []
      },
    },
    {
      name: 'LastText',
      in: NONE,
      out: [['text', 's']],
      access: 'messaging',
      call: ({ lastText }) => {
        if (lastText === undefined) throw new ModemdError('Unknown', 'The network has said nothing yet.')
        return [shown(lastText)]
      },
    },
  ],
  signals: [
    { name: 'NetworkRequest', args: [] },
    { name: 'NetworkNotification', args: [] },
  ],
}

/** Line by line: menus have several. */
function shown(text: string): string {
  return text
    .split(/\r\n|\n|\r/)
    .map((line) => printable(line, LONGEST_LINE))
    .join('\n')
}
