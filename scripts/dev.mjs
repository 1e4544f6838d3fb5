// npm run dev [-- modem-sim's options]: modemd and a virtual modem on a private bus, straight from src/, restarted when that
// changes. No hardware, no root: in user, network and mount namespaces of its own (dev-inside.ts). Ctrl-C ends all of it.

import { fileURLToPath } from 'node:url'
import { mustBeAbleTo, runInside } from './in-namespaces.mjs'
import { installIfChanged } from './install-if-changed.mjs'

process.chdir(fileURLToPath(new URL('..', import.meta.url)))
mustBeAbleTo('npm run dev', ['dbus-daemon', 'ip', 'unshare'])
installIfChanged()
runInside('scripts/dev-inside.ts')
