// npm run demo [-- --keep]: the main job without hardware and without root. Installs and builds, then runs demo-inside.ts in
// user, network and mount namespaces of its own.

import { fileURLToPath } from 'node:url'
import { build } from './build.mjs'
import { mustBeAbleTo, runInside } from './in-namespaces.mjs'
import { installIfChanged } from './install-if-changed.mjs'

const USAGE = `Usage: npm run demo [-- --keep]
Shows the main job without hardware and without root. --keep leaves it running
until Ctrl-C, and says how to get in. Exit code 0 only if each step really
happened.`

const words = process.argv.slice(2)
if (words.some((word) => /^(-h|--help)$/.test(word))) {
  console.log(USAGE)
  process.exit(0)
}
const wrong = words.find((word) => word !== '--keep')
if (wrong !== undefined) {
  console.error(`The demo takes no "${wrong}".\n${USAGE}`)
  process.exit(2)
}
process.chdir(fileURLToPath(new URL('..', import.meta.url)))
mustBeAbleTo('The demo', ['dbus-daemon', 'ip', 'ping', 'busctl', 'unshare'])
installIfChanged()
await build()
runInside('scripts/demo-inside.ts')
