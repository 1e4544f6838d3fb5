// The test machine's image: built by build-image.sh where it is missing, kept outside the repository in the user's cache under a
// hash of all that goes into it. Used by scripts/test-vm.mjs.

import { execFileSync, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, utimesSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'

const BUILDER = fileURLToPath(new URL('build-image.sh', import.meta.url))
const OVERLAY = fileURLToPath(new URL('overlay', import.meta.url))
const UNUSED_DAYS = 14
const DAY_MS = 86_400_000

const RUNS = { 'qemu-system-x86_64': 'qemu-system-x86', setpriv: 'util-linux' }
const BUILDS = {
  mmdebstrap: 'mmdebstrap',
  'mkfs.ext4': 'e2fsprogs',
  strip: 'binutils',
  depmod: 'kmod',
  cpio: 'cpio',
  xz: 'xz-utils',
  busybox: 'busybox-static',
}

/** Why there can be no machine here, as a sentence with its remedy; undefined: there can. */
export function whyNoMachine() {
  if (process.arch !== 'x64')
    return `the machine is an x86-64 one with this computer's node, and this is ${process.arch}`
  if (!isDebian()) return 'the image is made of Debian packages with Debian tools, and this is no Debian'
  if (process.getuid?.() !== 0) return 'making the image needs root (sudo npm run test:vm)'
  const missing = Object.entries({ ...RUNS, ...BUILDS }).filter(([program]) => !isInstalled(program))
  if (missing.length === 0) return undefined
  const [names, packages] = [0, 1].map((part) => missing.map((pair) => pair[part]).join(' '))
  return `absent: ${names} (apt install ${packages})`
}

/** The folder with vmlinux, initrd.img and root.ext4. */
export function makeImage() {
  const cache = `${process.env.XDG_CACHE_HOME || `${homedir()}/.cache`}/modemd-vm`
  let kernel = kernelPackage()
  if (!kernel || !existsSync(`${cache}/${imageHash(kernel)}`)) {
    // Old lists name packages that are no longer there.
    execFileSync('apt-get', ['update', '-qq'])
    kernel = kernelPackage()
  }
  if (!kernel) throw new Error('apt knows no linux-image-amd64: see /etc/apt/sources.list')
  const folder = `${cache}/${imageHash(kernel)}`
  if (!existsSync(folder)) build(folder, kernel)
  utimesSync(folder, new Date(), new Date())
  return folder
}

function build(folder, kernel) {
  removeUnused(dirname(folder))
  const unfinished = `${folder}.${process.pid}`
  console.log(`Making the test machine's image in ${folder} …`)
  const startMs = performance.now()
  try {
    const { status } = spawnSync('bash', [BUILDER, unfinished, kernel], { stdio: 'inherit' })
    if (status !== 0) throw new Error(`${BUILDER} ended with ${status}`)
    renameSync(unfinished, folder)
  } finally {
    rmSync(unfinished, { recursive: true, force: true })
  }
  console.log(`… made in ${((performance.now() - startMs) / 1000).toFixed(0)} s.`)
}

function isDebian() {
  return existsSync('/etc/os-release') && /^ID=debian$/m.test(readFileSync('/etc/os-release', 'utf8'))
}

function isInstalled(program) {
  return `${process.env.PATH}:/usr/sbin:/sbin`.split(':').some((folder) => existsSync(`${folder}/${program}`))
}

/** The newest kernel that the distribution has for this release, e.g. linux-image-6.1.0-30-amd64; undefined: apt has no lists. */
function kernelPackage() {
  const { stdout } = spawnSync('apt-cache', ['depends', 'linux-image-amd64'], { encoding: 'utf8' })
  return /^ *Depends: (linux-image-\d\S*)/m.exec(stdout)?.[1]
}

function imageHash(kernel) {
  const hash = createHash('sha256').update(`${kernel} ${process.version}`).update(readFileSync(BUILDER))
  for (const file of filesBelow(OVERLAY)) hash.update(file).update(readFileSync(`${OVERLAY}/${file}`))
  return hash.digest('hex').slice(0, 16)
}

function filesBelow(folder) {
  return readdirSync(folder, { recursive: true })
    .filter((name) => statSync(`${folder}/${name}`).isFile())
    .sort()
}

function removeUnused(cache) {
  mkdirSync(cache, { recursive: true })
  for (const name of readdirSync(cache)) {
    const isOld = Date.now() - statSync(`${cache}/${name}`).mtimeMs > UNUSED_DAYS * DAY_MS
    if (isOld) rmSync(`${cache}/${name}`, { recursive: true, force: true })
  }
}
