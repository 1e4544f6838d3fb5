/** An id as one element of an object path, exactly as systemd's sd_bus_path_encode(3) writes it. Used by everything that exports an object. */

/** Bytes other than letters (and digits behind the first place) as `_xx`; '' as `_`. `imei_1` → `imei_5f1`. */
export function escapePathElement(id: string): string {
  if (id === '') return '_'
  let escaped = ''
  for (const [index, byte] of Buffer.from(id, 'utf8').entries()) {
    const char = String.fromCharCode(byte)
    const isPlain = /[A-Za-z]/.test(char) || (index > 0 && /[0-9]/.test(char))
    escaped += isPlain ? char : `_${byte.toString(16).padStart(2, '0')}`
  }
  return escaped
}

export const ROOT_PATH = '/org/modemd'

export function modemPath(id: string): string {
  return `${ROOT_PATH}/modem/${escapePathElement(id)}`
}

export function linkPath(id: string): string {
  return `${ROOT_PATH}/link/${escapePathElement(id)}`
}

/** A message's id is unique among all modems. */
export function smsPath(id: string): string {
  return `${ROOT_PATH}/sms/${escapePathElement(id)}`
}
