/** What the C library says of an error of Node's, as pppd's %m prints it. */

import { constants } from 'node:os'
import { errnoText as libraryText } from '../../system/libc.ts'

export function errnoText(error: unknown): string {
  const { code } = error as NodeJS.ErrnoException
  const number = constants.errno[code as keyof typeof constants.errno]
  return number === undefined ? String(code ?? error) : libraryText(-number)
}
