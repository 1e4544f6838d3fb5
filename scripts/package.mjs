// npm run package [amd64|arm64 …]: builds dist-package/modemd_VERSION_ARCH.deb with the programs, a Node.js of its own (Debian 12
// has none that is new enough), manual pages and all that belongs to the system: unit, bus policy, polkit, udev. Needs dpkg-deb.
// The same source gives the same bytes.

import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  lutimesSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { build } from './build.mjs'
import { installIfChanged } from './install-if-changed.mjs'
import { FILES, placeByLine, withPlacedLinks } from './package-files.mjs'
import { ARCHITECTURES, copyModules, run, unpackNode } from './package-parts.mjs'

const USAGE = `Usage: npm run package [-- ARCHITECTURE ...]
Builds dist-package/modemd_VERSION_ARCHITECTURE.deb for each of
${Object.keys(ARCHITECTURES).join(', ')}, or only for those that are named. Needs dpkg-deb.

Example:
  npm run package -- arm64`

/** Tests take one that is made and unpacked quickly, in a folder of its own, of what is built already. */
const {
  MODEMD_PACKAGE_FOLDER: FOLDER = 'dist-package',
  MODEMD_PACKAGE_COMPRESSION: COMPRESSION = 'xz',
  MODEMD_PACKAGE_AS_BUILT: AS_BUILT,
} = process.env
/** Where the bundles, Node and native modules are. */
const HOME = 'usr/lib/modemd'

/** Where each shell looks for what completes mmctl. */
const COMPLETIONS = {
  bash: 'usr/share/bash-completion/completions/mmctl',
  zsh: 'usr/share/zsh/vendor-completions/_mmctl',
  fish: 'usr/share/fish/vendor_completions.d/mmctl.fish',
}

const CONTROL = {
  Section: 'net',
  Priority: 'optional',
  Maintainer: 'The modemd authors <modemd@localhost>',
  // Node's and the native modules' libraries; sysusers and tmpfiles.
  Depends: 'libc6 (>= 2.28), libgcc-s1, libstdc++6 (>= 8), dbus, systemd | systemd-standalone-sysusers',
  Recommends: 'polkitd | policykit-1, udev, kmod, usb-modeswitch, mobile-broadband-provider-info',
  Suggests: 'ppp, systemd-resolved | resolvconf, modemmanager',
  Description: [
    'connection manager for GSM/LTE modems',
    'modemd finds USB modems as they are plugged in, unlocks their SIM, waits for',
    'the network, dials, brings up PPP with its interface, address, route and name',
    'servers, and keeps links up. State is on D-Bus; mmctl is its command line. The',
    'package carries its own Node.js.',
  ],
}

const wanted = process.argv.slice(2)
if (wanted.some((word) => /^(-h|--help)$/.test(word))) {
  console.log(USAGE)
  process.exit(0)
}
process.chdir(fileURLToPath(new URL('..', import.meta.url)))
const unknown = wanted.find((name) => !(name in ARCHITECTURES))
if (unknown !== undefined) {
  console.error(`package: ${unknown} is none of ${Object.keys(ARCHITECTURES).join(', ')}`)
  process.exit(2)
}
if (spawnSync('dpkg-deb', ['--version']).error) {
  console.error('package: dpkg-deb is absent (apt install dpkg)')
  process.exit(1)
}
if (AS_BUILT === undefined) {
  installIfChanged()
  await build()
}
const { version, bin } = JSON.parse(readFileSync('package.json', 'utf8'))
const times = new Date(sourceSeconds() * 1000)
for (const architecture of wanted.length > 0 ? wanted : Object.keys(ARCHITECTURES)) makePackage(architecture)

function makePackage(architecture) {
  const tree = mkdtempSync(join(tmpdir(), 'modemd-package-'))
  try {
    chmodSync(tree, 0o755)
    addPrograms(tree, architecture)
    for (const from of Object.keys(FILES)) addFiles(tree, from)
    addManuals(tree)
    addCompletions(tree)
    addChangelogs(join(tree, 'usr/share/doc/modemd'))
    addControl(tree, architecture)
    settle(tree)
    mkdirSync(FOLDER, { recursive: true })
    const file = `${FOLDER}/modemd_${version}_${architecture}.deb`
    const options = {
      stdio: ['ignore', 'ignore', 'inherit'],
      env: { ...process.env, SOURCE_DATE_EPOCH: `${+times / 1000}` },
    }
    run('dpkg-deb', ['--root-owner-group', `-Z${COMPRESSION}`, '--build', tree, `${file}.new`], options)
    // Whole, or not there.
    renameSync(`${file}.new`, file)
    console.log(`${file}: ${megabytes(statSync(file).size)}, installed ${megabytes(sizeOf(tree))}`)
  } finally {
    rmSync(tree, { recursive: true })
  }
}

/** /usr/bin/NAME → the bundle, whose first line names the package's own Node. */
function addPrograms(tree, architecture) {
  const home = join(tree, HOME)
  const unpacked = mkdtempSync(join(tmpdir(), 'modemd-node-'))
  try {
    unpackNode(architecture, unpacked)
    addFile(join(home, 'node'), readFileSync(join(unpacked, 'bin/node')), 0o755)
    addFile(join(home, 'LICENSE.node'), readFileSync(join(unpacked, 'LICENSE')))
  } finally {
    rmSync(unpacked, { recursive: true })
  }
  copyModules(architecture, home)
  addFile(join(home, 'package.json'), `${JSON.stringify({ name: 'modemd', version })}\n`)
  for (const name of readdirSync('dist')) {
    const text = readFileSync(`dist/${name}`, 'utf8').replace(/^#!\/usr\/bin\/env node$/m, `#!/${HOME}/node`)
    addFile(join(home, name), text, text.startsWith('#!') ? 0o755 : 0o644)
  }
  mkdirSync(join(tree, 'usr/bin'), { recursive: true })
  for (const [name, bundle] of Object.entries(bin))
    symlinkSync(`../lib/modemd/${bundle.replace('dist/', '')}`, join(tree, 'usr/bin', name))
}

function addFiles(tree, from) {
  for (const name of readdirSync(dirname(from))) {
    const path = join(dirname(from), name)
    const place = placeByLine(from, path)
    if (place === undefined) continue
    const content = readFileSync(path)
    addFile(join(tree, place), path.endsWith('.md') ? withPlacedLinks(path, `${content}`) : content)
  }
}

function addManuals(tree) {
  for (const name of readdirSync('docs/man')) {
    const section = name.split('.').at(-1)
    addFile(join(tree, `usr/share/man/man${section}/${name}.gz`), gzip(readFileSync(`docs/man/${name}`)))
  }
}

function addCompletions(tree) {
  for (const [shell, to] of Object.entries(COMPLETIONS)) {
    const { status, stdout, stderr } = spawnSync(process.execPath, ['dist/mmctl.cjs', 'completion', shell])
    if (status !== 0) throw new Error(`mmctl completion ${shell}: ${stderr}`)
    addFile(join(tree, to), stdout)
  }
}

/** Debian's, of a line (Debian policy 4.4), and ours. */
function addChangelogs(folder) {
  const date = times.toUTCString().replace('GMT', '+0000')
  const entry = `modemd (${version}) unstable; urgency=medium\n\n  * See CHANGELOG.md.\n\n -- ${CONTROL.Maintainer}  ${date}\n`
  addFile(join(folder, 'changelog.gz'), gzip(entry))
  addFile(join(folder, 'CHANGELOG.md.gz'), gzip(readFileSync('CHANGELOG.md')))
}

function addControl(tree, architecture) {
  const folder = join(tree, 'DEBIAN')
  const installedKb = Math.ceil(sizeOf(tree) / 1024)
  const fields = {
    Package: 'modemd',
    Version: version,
    Architecture: architecture,
    'Installed-Size': installedKb,
    ...CONTROL,
  }
  const lines = Object.entries(fields).map(([key, value]) => {
    if (!Array.isArray(value)) return `${key}: ${value}`
    const [first, ...rest] = value
    return [`${key}: ${first}`, ...rest.map((line) => ` ${line}`)].join('\n')
  })
  addFile(join(folder, 'control'), `${lines.join('\n')}\n`)
  for (const script of ['postinst', 'prerm', 'postrm'])
    addFile(join(folder, script), readFileSync(`packaging/debian/${script}`), 0o755)
  const sums = spawnSync('sh', ['-c', 'find usr -type f -print0 | LC_ALL=C sort -z | xargs -0 md5sum'], { cwd: tree })
  addFile(join(folder, 'md5sums'), sums.stdout)
}

function addFile(path, content, mode = 0o644) {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, content)
  chmodSync(path, mode)
}

/** Same modes and times whoever builds, whenever. */
function settle(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) {
      settle(path)
      chmodSync(path, 0o755)
    } else if (entry.isFile()) chmodSync(path, statSync(path).mode & 0o100 ? 0o755 : 0o644)
    lutimesSync(path, times, times)
  }
}

/** The last commit's time; where there is no repository, package.json's. */
function sourceSeconds() {
  const given = Number(process.env.SOURCE_DATE_EPOCH)
  if (given > 0) return given
  const { stdout } = spawnSync('git', ['log', '-1', '--format=%ct'], { encoding: 'utf8' })
  return Number(stdout) || Math.floor(statSync('package.json').mtimeMs / 1000)
}

function gzip(content) {
  return gzipSync(content, { level: 9 })
}

function sizeOf(folder) {
  const { stdout } = spawnSync('du', ['--apparent-size', '-sk', folder], { encoding: 'utf8' })
  return Number(stdout.split('\t')[0]) * 1024
}

function megabytes(bytes) {
  return `${(bytes / 1e6).toFixed(1)} MB`
}
