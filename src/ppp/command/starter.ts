/** Who started modem-ppp, for the log and the scripts' PPPLOGNAME and ORIG_UID. */

import { userInfo } from 'node:os'

export interface Starter {
  readonly uid: number
  readonly name: string
}

export function starter(): Starter {
  const uid = process.getuid?.() ?? 0
  try {
    return { uid, name: userInfo().username }
  } catch {
    // No entry in the password file.
    return { uid, name: '(unknown)' }
  }
}
