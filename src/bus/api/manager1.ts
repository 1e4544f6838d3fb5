/** org.modemd.Manager1, at /org/modemd: what is here, connecting by profile, profiles and the daemon itself. */

import { ModemdError } from '../../base/errors.ts'
import type { Finding } from '../../base/finding.ts'
import type { ProfileFields, SupervisorApi } from '../../link/snapshot.ts'
import type { PortReport } from '../../modem/snapshot.ts'
import { checkConnectOptions, checkProfileFields, checkProfileName, checkText } from '../arguments.ts'
import type { Access, InterfaceDefinition } from '../definition.ts'
import type { Inhibitions } from '../inhibitions.ts'
import { linkPath, modemPath } from '../path-escape.ts'
import { type Variant, variant } from '../signature.ts'
import { listApns } from './apns.ts'
import { anyText, knownText, NONE } from './known.ts'

export interface Manager1Target {
  readonly api: SupervisorApi
  readonly inhibitions: Inhibitions
  /** Looks for modems now, or soon where it has just been done: everybody may ask. */
  readonly rescan: () => void
  /** Joins a run that is going on. */
  readonly diagnose: () => Promise<readonly Finding[]>
}

export const manager1: InterfaceDefinition<Manager1Target> = {
  name: 'org.modemd.Manager1',
  properties: [
    { name: 'Version', signature: 's', get: ({ api }) => api.version },
    {
      name: 'Modems',
      signature: 'ao',
      get: ({ api }) => api.fleet.modems.map(({ snapshot }) => modemPath(snapshot.id)),
    },
    { name: 'Links', signature: 'ao', get: ({ api }) => api.links.map(({ snapshot }) => linkPath(snapshot.id)) },
    { name: 'Engines', signature: 'as', get: ({ api }) => [...api.engines] },
    { name: 'EngineReasons', signature: 'a{ss}', get: ({ api }) => ({ ...api.engineReasons }) },
  ],
  methods: [
    {
      name: 'Connect',
      in: [
        ['profile', 's'],
        ['options', 'a{sv}'],
      ],
      out: [['link', 'o']],
      access: ({ api }, [profile]) => profileAccess(api, profile, 'connect'),
      call: async ({ api }, [profile, dictionary]) => {
        const { options, wait } = checkConnectOptions(dictionary)
        const link = await api.connect(profile === '' ? '' : checkProfileName(profile), options)
        if (wait) await link.settled()
        return [linkPath(link.snapshot.id)]
      },
    },
    {
      name: 'Disconnect',
      in: [['link', 'o']],
      out: NONE,
      access: 'connect',
      call: async ({ api }, [path]) => {
        await api.disconnect(path === '/' ? undefined : linkId(api, path as string))
        return []
      },
    },
    {
      name: 'Rescan',
      in: NONE,
      out: NONE,
      access: 'anyone',
      call: ({ rescan }) => {
        rescan()
        return []
      },
    },
    {
      name: 'ListPorts',
      in: NONE,
      out: [['ports', 'aa{sv}']],
      access: 'anyone',
      call: ({ api }) => [api.fleet.ports().map(portFields)],
    },
    {
      name: 'Inhibit',
      in: [['device', 's']],
      out: [['cookie', 'u']],
      access: 'control',
      call: async ({ inhibitions }, [device], { sender }) => [
        await inhibitions.hold(checkText('device', device), sender),
      ],
    },
    {
      name: 'Release',
      in: [['cookie', 'u']],
      out: NONE,
      access: 'control',
      call: ({ inhibitions }, [cookie], { sender }) => {
        inhibitions.release(cookie as number, sender)
        return []
      },
    },
    {
      name: 'Diagnose',
      in: NONE,
      out: [['findings', 'aa{sv}']],
      access: 'anyone',
      call: async ({ diagnose }) => [(await diagnose()).map(findingFields)],
    },
    {
      name: 'ReloadConfig',
      in: NONE,
      out: NONE,
      access: 'administrator',
      call: async ({ api }) => {
        await api.reloadConfig()
        return []
      },
    },
    {
      name: 'ListProfiles',
      in: NONE,
      out: [['profiles', 'aa{sv}']],
      // Their files are not for everybody's eyes.
      access: 'control',
      call: ({ api }) => [api.profiles().map(toDictionary)],
    },
    listApns,
    {
      name: 'SaveProfile',
      in: [['profile', 'a{sv}']],
      out: NONE,
      access: ({ api }, [dictionary]) => savingAccess(api, dictionary as Readonly<Record<string, Variant>>),
      call: async ({ api }, [dictionary]) => {
        await api.saveProfile(checkProfileFields(dictionary))
        return []
      },
    },
    {
      name: 'RemoveProfile',
      in: [['name', 's']],
      out: NONE,
      access: ({ api }, [name]) => profileAccess(api, name, 'control'),
      call: async ({ api }, [name]) => {
        await api.removeProfile(checkProfileName(name))
        return []
      },
    },
  ],
  signals: [],
}

/** Keys of a profile by which pppd or a script of the administrator's runs as root. */
const ADMINISTRATOR_KEYS = ['options', 'chat-script'] as const

function profileAccess(api: SupervisorApi, profile: unknown, otherwise: Access): Access {
  return api.profileNeedsAdministrator(profile as string) ? 'administrator' : otherwise
}

/** A profile that has such keys, or that replaces one which has. */
function savingAccess(api: SupervisorApi, dictionary: Readonly<Record<string, Variant>>): Access {
  if (ADMINISTRATOR_KEYS.some((key) => Object.hasOwn(dictionary, key))) return 'administrator'
  const name = Object.hasOwn(dictionary, 'name') ? dictionary.name?.value : undefined
  return typeof name === 'string' ? profileAccess(api, name, 'control') : 'control'
}

function linkId(api: SupervisorApi, path: string): string {
  const link = api.links.find(({ snapshot }) => linkPath(snapshot.id) === path)
  if (!link) throw new ModemdError('NotFound', 'There is no such link: see "mmctl status".')
  return link.snapshot.id
}

/** What is not known is left out. */
function portFields(port: PortReport): Record<string, Variant> {
  const { name, device, driver, usbId, interfaceClass, role, owner, isTaken, reason, modem } = port
  const texts = { name, device, driver, usbId, interfaceClass, role, owner, reason }
  const known = Object.entries(texts).flatMap(([key, text]) => {
    const value = knownText(text)
    return value === undefined ? [] : [[key, variant('s', value)] as const]
  })
  return {
    ...Object.fromEntries(known),
    taken: variant('b', isTaken),
    ...(modem !== undefined && { modem: variant('o', modemPath(modem)) }),
  }
}

function findingFields({ check, state, detail, advice }: Finding): Record<string, Variant> {
  return toDictionary({ check, state, detail, advice })
}

function toDictionary(fields: ProfileFields): Record<string, Variant> {
  return Object.fromEntries(Object.entries(fields).map(([key, value]) => [key, toVariant(value)]))
}

function toVariant(value: string | number | boolean): Variant {
  if (typeof value === 'string') return variant('s', anyText(value))
  if (typeof value === 'boolean') return variant('b', value)
  const isUint32 = Number.isInteger(value) && value >= 0 && value <= 0xffffffff
  return isUint32 ? variant('u', value) : variant('d', value)
}
