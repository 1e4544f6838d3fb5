/** `mmctl connect PROFILE --modem M`: whether modemd, which chooses a profile's modem itself, can only take this one. Called by `commands/connect.ts`. */

import type { Daemon, Modem, PropertyValues } from './daemon.ts'
import { CliError } from './errors.ts'
import { EXIT } from './exit-codes.ts'

/** Throws where the profile would take another modem, or may. */
export async function mustTake(daemon: Daemon, profile: string, wanted: Modem): Promise<void> {
  const wish = await readWish(daemon, profile)
  const candidates = daemon.modems.filter((modem) => mayTake(wish, modem))
  if (!candidates.some(({ path }) => path === wanted.path))
    throw CliError.usage(
      `the profile ${profile} takes ${inWords(wish)}, which ${wanted.id} is not: ${whatToDo(profile, wanted)}`,
    )
  if (candidates.length === 1) return
  const ids = candidates.map(({ id }) => id).join(' or ')
  throw CliError.usage(`the profile ${profile} may take ${ids}, and modemd chooses: ${whatToDo(profile, wanted)}`)
}

function whatToDo(profile: string, { id }: Modem): string {
  return `set \`modem = ${id}\` in it (\`mmctl profile edit ${profile}\`), or leave --modem or PROFILE out`
}

interface Wish {
  /** modemd.conf(5), `modem`. */
  readonly selector: string
  /** An ICCID; '': any. */
  readonly sim: string
}

async function readWish(daemon: Daemon, profile: string): Promise<Wish> {
  const [list] = await daemon.manage('ListProfiles').catch((error) => {
    // Who may connect may not always read profiles: then it may be any modem.
    if (error instanceof CliError && error.exitCode === EXIT.notAuthorized) return [[]]
    throw error
  })
  const fields = (list as readonly PropertyValues[]).find(({ name }) => name === profile)
  return { selector: String(fields?.modem ?? 'any'), sim: String(fields?.sim ?? '') }
}

function inWords({ selector, sim }: Wish): string {
  const modem = selector === 'any' ? 'a modem' : selector
  return sim === '' ? modem : `${modem} with the SIM ${sim}`
}

/** A SIM that is not read yet may be the right one. */
function mayTake({ selector, sim }: Wish, { id, properties, sim: here }: Modem): boolean {
  const iccid = here?.text('Iccid')
  if (sim !== '' && iccid !== undefined && bareIccid(iccid) !== bareIccid(sim)) return false
  const [, kind, rest = ''] = /^(imei|usb|tty):(.*)$/.exec(selector) ?? []
  const device = properties.text('Device')
  if (kind === 'imei') return properties.text('EquipmentIdentifier') === rest
  if (kind === 'usb') return device?.split('/').at(-1) === rest
  if (kind === 'tty') {
    const tty = rest.startsWith('/dev/') ? rest : `/dev/${rest}`
    return device === tty || properties.list('Ports').some((port) => Array.isArray(port) && port[0] === tty)
  }
  return selector === 'any' || selector === id
}

/** Some modems append the filler of ITU-T E.118's 20 places. */
function bareIccid(iccid: string): string {
  return iccid.toUpperCase().replace(/F$/, '')
}
