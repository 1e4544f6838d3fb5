// npm run build: one bundle a program in dist/. Packages with binaries of their own, and those that need files beside
// them, stay outside the bundle. Types are checked by `npm run check`, not here.

import { chmodSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const project = fileURLToPath(new URL('..', import.meta.url))

const PROGRAMS = {
  modemd: 'src/daemon/main.ts',
  mmctl: 'src/cli/main.ts',
  'modem-sim': 'src/sim/command.ts',
}

export async function build() {
  // Imported late: the package may have been installed a moment ago.
  const esbuild = await import('esbuild')
  await esbuild.build({
    absWorkingDir: project,
    entryPoints: Object.entries(PROGRAMS).map(([out, file]) => ({ in: file, out })),
    outdir: 'dist',
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    packages: 'external',
    banner: { js: '#!/usr/bin/env node' },
    logLevel: 'warning',
  })
  for (const program of Object.keys(PROGRAMS)) chmodSync(`${project}dist/${program}.js`, 0o755)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await build()
