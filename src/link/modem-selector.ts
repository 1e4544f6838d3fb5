/** Which modems a profile means by `modem` and `sim` (docs/man/modemd.conf.5). Pure. */

import type { ModemSnapshot } from '../modem/snapshot.ts'
import type { Profile } from './profile.ts'

export type ModemWish = Pick<Profile, 'modem' | 'sim'>

export function matchesModem({ modem: selector, sim }: ModemWish, modem: ModemSnapshot): boolean {
  return matchesSelector(selector, modem) && (sim === '' || sameIccid(sim, modem.sim.iccid))
}

export function matchesSelector(selector: string, modem: ModemSnapshot): boolean {
  const [kind, rest] = /^(imei|usb|tty):(.*)$/.exec(selector)?.slice(1) ?? []
  switch (kind) {
    case 'imei':
      return modem.equipmentIdentifier === rest
    case 'usb':
      return modem.device.split('/').at(-1) === rest
    case 'tty':
      return modem.ports.some(({ name }) => name === ttyPath(rest!)) || modem.device === ttyPath(rest!)
    default:
      return selector === 'any' || selector === modem.id
  }
}

/** `ttyS1` and `/dev/ttyS1` are the same. */
export function ttyPath(name: string): string {
  return name.startsWith('/dev/') ? name : `/dev/${name}`
}

/** Some modems append the filler of ITU-T E.118's 20 places. */
function sameIccid(wanted: string, read: string | undefined): boolean {
  const bare = (iccid: string) => iccid.toUpperCase().replace(/F$/, '')
  return read !== undefined && bare(wanted) === bare(read)
}
