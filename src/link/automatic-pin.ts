/** Which profile's PIN is tried by itself for a modem that appears locked (docs/man/modemd.conf.5). Pure; that it is safe to try, the modem's ledger decides. */

import type { ModemSnapshot } from '../modem/snapshot.ts'
import { matchesModem, matchesSelector } from './modem-selector.ts'
import type { Profile } from './profile.ts'

/** Of the profiles that name the modem or its SIM the first by name, else of those for any modem; the others' PINs are never tried by themselves. */
export function automaticPin(profiles: readonly Profile[], modem: ModemSnapshot): string | undefined {
  const withPin = profiles.filter(({ pin }) => pin !== '').toSorted((a, b) => (a.name < b.name ? -1 : 1))
  const named = withPin.find((profile) => isForIt(profile, modem))
  const standard = withPin.find((profile) => profile.modem === 'any' && profile.sim === '')
  return (named ?? standard)?.pin
}

/** A locked SIM may hide its ICCID: then a profile that also names the modem is believed, one that names only the SIM is not. */
function isForIt(profile: Profile, modem: ModemSnapshot): boolean {
  if (profile.modem === 'any' && profile.sim === '') return false
  if (profile.sim === '' || modem.sim.iccid !== undefined) return matchesModem(profile, modem)
  return profile.modem !== 'any' && matchesSelector(profile.modem, modem)
}
