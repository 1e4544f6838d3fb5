/** Takes secrets out of texts for people (DESIGN §7.2): those of the profiles, and what AT commands carry that present a PIN or log in. Pure; for the log and for `mmctl bug-report`. */

const MASK = '***'

/** +CPIN, +CPWD, +CLCK and the vendors' forms; with `?` behind the `=` they only ask. */
const PIN_COMMAND = /([+^*#$%_!&@][A-Z0-9]*(?:PIN|PUK|LCK|LOCK|PWD|CHV)[A-Z0-9]*\s*=)(?!\s*\?)[^\r\n]*/gi
/** MMI codes that change or unblock a PIN. */
const PIN_MMI = /(\*\*0[45]2?\*)[\d*]*/g
/** User name and password of a packet data context. */
const LOGIN_COMMAND = /((?:\+CGAUTH|\^AUTHDATA|\$QCPDPP|\+QICSGP|#PDPAUTH|\+UAUTHREQ)\s*=)(?!\s*\?)[^\r\n]*/gi

/** Below this a secret is only masked where it stands alone: else a one-letter password would blacken every line. */
const SHORT = 4

export function redacted(text: string, secrets: readonly string[]): string {
  const known = [...secrets].filter((secret) => secret !== '').sort((a, b) => b.length - a.length)
  const commands = text
    .replace(PIN_COMMAND, `$1${MASK}`)
    .replace(PIN_MMI, `$1${MASK}`)
    .replace(LOGIN_COMMAND, `$1${MASK}`)
  return known.reduce(withoutSecret, commands)
}

function withoutSecret(text: string, secret: string): string {
  if (secret.length >= SHORT) return text.replaceAll(secret, MASK)
  const literal = secret.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&')
  return text.replace(new RegExp(`(?<![\\p{L}\\p{N}])${literal}(?![\\p{L}\\p{N}])`, 'gu'), () => MASK)
}
