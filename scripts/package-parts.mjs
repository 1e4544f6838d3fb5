// What a Debian package of modemd takes from the npm registry: Node itself and the packages that cannot be bundled, for another
// architecture, too. Everything is pinned by its hash (Node here, the rest by package-lock.json) and kept in the user's cache.
// Used by package.mjs.

import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs'
import { homedir } from 'node:os'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { NOT_BUNDLED } from './build.mjs'

const project = fileURLToPath(new URL('..', import.meta.url))
const cache = `${process.env.XDG_CACHE_HOME || `${homedir()}/.cache`}/modemd-package`

export const NODE_VERSION = '20.20.2'

/** By Debian's name of the architecture. */
export const ARCHITECTURES = {
  amd64: {
    nodeName: 'x64',
    nodeIntegrity: 'sha512-PeHQM8wAdmHtZA1mBocygZxs5LiUWtsJezQTkBd0iY987KpGrD1O2tVEydvMZiuXceRanxt7rjTnDEBwOPujoQ==',
  },
  arm64: {
    nodeName: 'arm64',
    nodeIntegrity: 'sha512-LCXJnNTFiyGuYBw2gZSI5OBFMbkjAPt8sqD/NKrWoE2QmDgSubTqFng6GaNJ9EJ8HpxBMGcWWpbbcs4Vo+CnGg==',
  },
}

/** What runs; sources, headers, types and other systems' binaries stay behind. */
const RUNS = /\.(?:[cm]?js|json|node)$|^LICEN[CS]E/
const NOT_WANTED = new Set(['vendor', 'doc', 'src/node-addon-api', 'musl_x64', 'musl_arm64'])
/** Only for those who compile. */
const FOR_COMPILING = new Set(['node-addon-api'])

/** Unpacks `bin/node` and its LICENSE; the answer is the folder. */
export function unpackNode(architecture, folder) {
  const { nodeName, nodeIntegrity } = ARCHITECTURES[architecture]
  unpack(`node-linux-${nodeName}`, NODE_VERSION, nodeIntegrity, folder)
}

/** node_modules of the packages that the bundles leave out, with all that these need. */
export function copyModules(architecture, target) {
  const { packages } = JSON.parse(readFileSync(`${project}package-lock.json`, 'utf8'))
  for (const place of closure(packages)) copyPackage(`${project}${place}`, join(target, place), architecture)
  const native = `node_modules/@koromix/koffi-linux-${ARCHITECTURES[architecture].nodeName}`
  const { version, integrity } = packages[native]
  const unpacked = mkdtempSync(join(target, 'unpacked-'))
  unpack('@koromix/'.concat(basename(native)), version, integrity, unpacked)
  copyPackage(unpacked, join(target, native), architecture)
  rmSync(unpacked, { recursive: true })
}

/** Places in node_modules, of the packages that are not bundled and of what they need at run time. */
function closure(packages) {
  const found = new Set()
  const add = (name, from) => {
    const place = resolvePlace(packages, name, from)
    if (!place || found.has(place) || FOR_COMPILING.has(name)) return
    found.add(place)
    for (const needed of Object.keys(packages[place].dependencies ?? {})) add(needed, place)
  }
  for (const name of NOT_BUNDLED) if (name in packages[''].dependencies) add(name, '')
  return found
}

/** As require() looks: beside the one that asks, then further up. */
function resolvePlace(packages, name, from) {
  for (let folder = from; ; folder = folder.slice(0, Math.max(0, folder.lastIndexOf('node_modules') - 1))) {
    const place = `${folder}${folder && '/'}node_modules/${name}`
    if (packages[place]) return place
    if (folder === '') return undefined
  }
}

function copyPackage(from, to, architecture) {
  const prebuilt = `linux-${ARCHITECTURES[architecture].nodeName}`
  const isWanted = (path) => {
    const inside = path.slice(from.length + 1)
    if (inside === '') return true
    const name = basename(path)
    if (NOT_WANTED.has(inside) || name === 'node_modules') return false
    if (/^prebuilds\/[^/]+$/.test(inside)) return name === prebuilt
    if (statSync(path).isDirectory()) return true
    return RUNS.test(name) && !name.includes('.musl.')
  }
  cpSync(from, to, { recursive: true, filter: isWanted })
}

/** Takes it from the cache, else from the registry; never what has another hash. */
function unpack(name, version, integrity, folder) {
  const archive = `${cache}/${name.replace(/^@/, '').replace('/', '-')}-${version}.tgz`
  if (!existsSync(archive)) fetchArchive(name, version, archive)
  const hash = `sha512-${createHash('sha512').update(readFileSync(archive)).digest('base64')}`
  if (hash !== integrity) {
    rmSync(archive)
    throw new Error(`${name}@${version} is not what it was when it was pinned (${hash}): is the registry right?`)
  }
  run('tar', ['-xzf', archive, '-C', folder, '--strip-components=1', '--exclude=package/include', '--no-same-owner'])
}

function fetchArchive(name, version, archive) {
  mkdirSync(cache, { recursive: true })
  const folder = mkdtempSync(`${cache}/fetch-`)
  console.log(`Fetching ${name}@${version} …`)
  run('npm', ['pack', '--silent', '--pack-destination', folder, `${name}@${version}`], {
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  renameSync(join(folder, basename(archive)), archive)
  rmSync(folder, { recursive: true })
}

export function run(program, args, options = {}) {
  const { status, error } = spawnSync(program, args, { stdio: 'inherit', ...options })
  if (status !== 0) throw new Error(`${program} ${error ? `cannot be run: ${error.message}` : `ended with ${status}`}`)
}
