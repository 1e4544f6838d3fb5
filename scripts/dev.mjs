// npm run dev [-- modem-sim's options]: modemd and a virtual modem on a private bus, straight from src/, restarted when that
// changes. No hardware, no root: in user, network and mount namespaces of its own (dev-inside.ts). Ctrl-C ends all of it.

import { fileURLToPath } from 'node:url'
import { mustBeAbleTo, runInside } from './in-namespaces.mjs'
import { installIfChanged } from './install-if-changed.mjs'

const USAGE = `Usage: npm run dev [-- OPTION ...]
modemd and a virtual modem on a private bus, straight from src/, restarted when
that changes; Ctrl-C ends them. OPTION is any of modem-sim's, which (after
npm run build) node dist/modem-sim.cjs --help tells.

Example:
  npm run dev -- --personality huawei-e173 --signal drift`

if (process.argv.slice(2).some((word) => /^(-h|--help)$/.test(word))) {
  console.log(USAGE)
  process.exit(0)
}
process.chdir(fileURLToPath(new URL('..', import.meta.url)))
mustBeAbleTo('npm run dev', ['dbus-daemon', 'ip', 'unshare'])
installIfChanged()
runInside('scripts/dev-inside.ts')
