// npm run demo [-- --keep]: the main job without hardware and without root. Installs and builds, then runs demo-inside.ts in
// user, network and mount namespaces of its own.

import { fileURLToPath } from 'node:url'
import { build } from './build.mjs'
import { mustBeAbleTo, runInside } from './in-namespaces.mjs'
import { installIfChanged } from './install-if-changed.mjs'

process.chdir(fileURLToPath(new URL('..', import.meta.url)))
mustBeAbleTo('The demo', ['dbus-daemon', 'ip', 'ping', 'busctl', 'unshare'])
installIfChanged()
await build()
runInside('scripts/demo-inside.ts')
