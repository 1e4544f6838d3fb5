// What of the repository goes into a Debian package as it is, and where; and how links between documents read there. Used by
// package.mjs; pure.

import { dirname, join, relative } from 'node:path/posix'

/** `*` stands for a name's variable part. */
export const FILES = {
  'systemd/modemd.service': 'usr/lib/systemd/system/modemd.service',
  'systemd/modemd.sysusers': 'usr/lib/sysusers.d/modemd.conf',
  'systemd/modemd.tmpfiles': 'usr/lib/tmpfiles.d/modemd.conf',
  'systemd/70-modemd.rules': 'usr/lib/udev/rules.d/70-modemd.rules',
  'systemd/root.conf': 'usr/share/doc/modemd/examples/root.conf',
  'dbus/org.modemd.conf': 'usr/share/dbus-1/system.d/org.modemd.conf',
  'dbus/org.modemd.service': 'usr/share/dbus-1/system-services/org.modemd.service',
  'dbus/org.modemd.*.xml': 'usr/share/dbus-1/interfaces/org.modemd.*.xml',
  'dbus/org.modemd.policy': 'usr/share/polkit-1/actions/org.modemd.policy',
  'dbus/org.modemd.rules': 'usr/share/polkit-1/rules.d/org.modemd.rules',
  'packaging/debian/copyright': 'usr/share/doc/modemd/copyright',
  'README.md': 'usr/share/doc/modemd/README.md',
  'docs/*.md': 'usr/share/doc/modemd/*.md',
  'docs/decisions/*.md': 'usr/share/doc/modemd/decisions/*.md',
}

/** Folders that documents link to. */
const FOLDERS = {
  'docs/man/': 'usr/share/man/',
  'docs/decisions/': 'usr/share/doc/modemd/decisions/',
  'dbus/': 'usr/share/dbus-1/interfaces/',
}

/** Where a file of the repository, or a folder (`docs/man/`), is in the package; undefined: it is not. */
export function placeOf(path) {
  if (path in FOLDERS) return FOLDERS[path]
  for (const from of Object.keys(FILES)) {
    const place = placeByLine(from, path)
    if (place !== undefined) return place
  }
  return undefined
}

/** By one line of FILES. */
export function placeByLine(from, path) {
  const [before, after] = from.split('*')
  if (after === undefined) return from === path ? FILES[from] : undefined
  const isMeant = dirname(from) === dirname(path) && path.startsWith(before) && path.endsWith(after)
  return isMeant ? FILES[from].replace('*', path.slice(before.length, path.length - after.length)) : undefined
}

/** A document's links as they are right in the package; a link to what is not in it is a fault of the document. */
export function withPlacedLinks(path, text) {
  return text.replace(/\]\((?!https?:|#)([^)\s#]+)/g, (_, link) => {
    const target = join(dirname(path), link)
    const place = placeOf(target)
    if (place === undefined) throw new Error(`${path} links to ${target}, which is not in the package`)
    return `](${relative(dirname(placeOf(path)), place)}${place.endsWith('/') ? '/' : ''}`
  })
}
