/** The colour of a modem's or a link's state: green works, red needs somebody, yellow is on its way. */

import type { Colors } from './output.ts'

export function stateColor(state: string, colors: Colors): (text: string) => string {
  if (/^(up|connected|registered|ready|on|home)$/.test(state)) return colors.green
  if (/^(failed|locked|absent-sim|absent|denied|puk|pin)$/.test(state)) return colors.red
  if (/^(idle|disabled|off)$/.test(state)) return colors.dim
  return colors.yellow
}
