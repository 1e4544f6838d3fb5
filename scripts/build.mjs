// npm run build: one bundle a program in dist/ (a third faster to start, and less memory, than from node_modules). Types are checked by `npm run check`, not here.

import { chmodSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const project = fileURLToPath(new URL('..', import.meta.url))

/** Programs that run for long. All are CommonJS: of an ES module Node keeps copies of the text, 4 MiB for modemd, and starts it 40 ms later. */
const DAEMONS = { modemd: 'src/daemon/main.ts', 'modem-sim': 'src/sim/command.ts' }

/** mmctl runs for a moment: as CommonJS (ES modules cost 10 ms), and in two parts, so that `list` loads no command parser. */
const MMCTL = { mmctl: 'src/cli/main.ts', 'mmctl-commands': 'src/cli/program.ts' }

/** modem-chat runs for one dialogue, modem-ppp is started by scripts: as CommonJS too, but in one part. */
const TOOLS = { 'modem-chat': 'src/chat/command.ts', 'modem-ppp': 'src/ppp/command.ts' }

/** Packages with binaries beside them, and two optional ones of dbus-next that are not there. */
export const NOT_BUNDLED = ['koffi', '@serialport/bindings-cpp', '@serialport/stream', 'usocket', 'x11']

export async function build() {
  // Imported late: the package may have been installed a moment ago.
  const esbuild = await import('esbuild')
  const common = {
    absWorkingDir: project,
    outdir: 'dist',
    bundle: true,
    platform: 'node',
    target: 'node20',
    logLevel: 'warning',
  }
  await esbuild.build({
    ...common,
    entryPoints: DAEMONS,
    outExtension: { '.js': '.cjs' },
    format: 'cjs',
    // Names stay, for the stacks of what must not happen.
    minifySyntax: true,
    minifyWhitespace: true,
    external: NOT_BUNDLED,
    banner: { js: '#!/usr/bin/env node' },
    plugins: [{ name: 'without-xml', setup: withoutXml }],
  })
  await esbuild.build({
    ...common,
    entryPoints: MMCTL,
    outExtension: { '.js': '.cjs' },
    format: 'cjs',
    minify: true,
    // import() becomes require(): it keeps the loader of ES modules out.
    supported: { 'dynamic-import': false },
    banner: { js: '#!/usr/bin/env node' },
    plugins: [
      { name: 'second-part', setup: (plugins) => plugins.onResolve({ filter: /^\.\/program\.ts$/ }, secondPart) },
    ],
  })
  await esbuild.build({
    ...common,
    entryPoints: TOOLS,
    outExtension: { '.js': '.cjs' },
    format: 'cjs',
    minify: true,
    external: NOT_BUNDLED,
    banner: { js: '#!/usr/bin/env node' },
  })
  for (const program of ['modemd.cjs', 'modem-sim.cjs', 'mmctl.cjs', 'modem-chat.cjs', 'modem-ppp.cjs'])
    chmodSync(`${project}dist/${program}`, 0o755)
}

/** dbus-next makes an XML builder for each connection, for introspection, which src/bus does itself: 140 kB of code and 2 MiB of memory. */
function withoutXml(plugins) {
  plugins.onResolve({ filter: /^xml2js$/ }, () => ({ path: 'xml2js', namespace: 'without' }))
  plugins.onLoad({ filter: /.*/, namespace: 'without' }, () => ({ contents: 'exports.Builder = class {}' }))
}

function secondPart() {
  return { path: './mmctl-commands.cjs', external: true }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await build()
