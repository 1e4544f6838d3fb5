/** The Debian package, installed, run, removed and purged by dpkg itself on a copy of this machine (an overlay, gone afterwards). */

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import { fileURLToPath } from 'node:url'
import manifest from '../../package.json' with { type: 'json' }
import { run } from '../bus/private-bus.ts'
import { needs } from '../support/needs.ts'

const BUILDER = fileURLToPath(new URL('../../scripts/package.mjs', import.meta.url))
const MANUALS = fileURLToPath(new URL('../../docs/man/', import.meta.url))
const ARCHITECTURE = process.arch === 'arm64' ? 'arm64' : 'amd64'

/** Runs a script with `/` an overlay over the machine's own; $1 is the folder that it needs for that. */
const ON_A_COPY = `
  mount -t tmpfs none "$1" && mkdir "$1/upper" "$1/work" "$1/tree" &&
  mount -t overlay overlay -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" "$1/tree" &&
  mount -t proc none "$1/tree/proc" && mount --rbind /dev "$1/tree/dev" && mount -t tmpfs none "$1/tree/run" &&
  mount -t tmpfs none "$1/tree/tmp" && cp "$2" "$1/tree/tmp/modemd.deb" && exec chroot "$1/tree" sh -c "$3"`

/** With all that a removal must leave as it was. */
const STEPS = `
  export PATH=/usr/sbin:/usr/bin:/sbin:/bin
  list() { find /etc /usr /var/lib -xdev ! -path '/var/lib/dpkg/*' ! -path '/var/cache/*' ! -type d | sort; }
  list >/tmp/before
  dpkg --no-triggers --force-unsafe-io -i /tmp/modemd.deb >&2 || exit 1
  for name in ${Object.keys(manifest.bin).join(' ')}; do echo "$name: $($name --version)"; done
  echo "enabled: $(systemctl is-enabled modemd)"
  echo "user: $(id -nu modemd) $(id -nG modemd)"
  echo "profiles: $(stat -c '%U %a' /etc/modemd/profiles)"
  echo "check: $(modemd --check)"
  echo "manual: $(dpkg -L modemd | grep -c '/man/man[0-9]/.*gz')"
  echo "as modemd: $(setpriv --reuid modemd --regid modemd --init-groups modemd --bus unix:path=/nowhere 2>&1)"
  for shell in bash zsh fish; do
    echo "$shell: $(for file in $(dpkg -L modemd); do [ -f "$file" ] && mmctl completion $shell | cmp -s - "$file" && echo "$file"; done)"
  done
  touch /etc/modemd/profiles/mine.conf
  dpkg --no-triggers -r modemd >&2 || exit 1
  echo "removed: $(ls /etc/modemd/profiles) $(ls /usr/lib/modemd 2>&1 | grep -c .)"
  dpkg --no-triggers -P modemd >&2 || exit 1
  list >/tmp/after
  echo "left: $(diff /tmp/before /tmp/after | grep '^[<>]' | grep -v '/etc/\\(passwd\\|group\\|shadow\\|gshadow\\)-\\?$\\|\\.pyc$' | tr '\\n' ' ')"`

function copies(): { skip?: string } {
  const missing = needs('dpkg-deb', 'unshare')
  if (missing.skip) return missing
  if (process.geteuid?.() !== 0) return { skip: 'dpkg needs root (run the tests as root)' }
  const folder = mkdtempSync(join(tmpdir(), 'modemd-overlay-'))
  const made = spawnSync('unshare', ['-m', 'sh', '-c', ON_A_COPY, 'sh', folder, '/dev/null', 'true'], {
    encoding: 'utf8',
  })
  rmSync(folder, { recursive: true })
  return made.status === 0
    ? {}
    : { skip: `no overlay of the machine's root can be mounted here (${made.stderr.trim()})` }
}

test('it installs, runs with its own Node, and goes without a trace', copies(), async () => {
  const folder = mkdtempSync(join(tmpdir(), 'modemd-package-test-'))
  try {
    const settings = [
      `MODEMD_PACKAGE_FOLDER=${folder}`,
      'MODEMD_PACKAGE_COMPRESSION=none',
      'MODEMD_PACKAGE_AS_BUILT=yes',
    ]
    const built = await run('env', [...settings, process.execPath, BUILDER, ARCHITECTURE])
    assert.equal(built.status, 0, built.stderr)
    const [file] = readdirSync(folder)
    assert.equal(file, `modemd_${manifest.version}_${ARCHITECTURE}.deb`)
    const copy = mkdtempSync(join(tmpdir(), 'modemd-overlay-'))
    const { status, stdout, stderr } = await run('unshare', [
      '-m',
      'sh',
      '-c',
      ON_A_COPY,
      'sh',
      copy,
      join(folder, file!),
      STEPS,
    ])
    rmSync(copy, { recursive: true })
    assert.equal(status, 0, stderr)
    const said = new Map(stdout.split('\n').map((line) => line.split(/: (.*)/s).slice(0, 2) as [string, string]))
    for (const name of Object.keys(manifest.bin))
      assert.match(said.get(name) ?? '', new RegExp(`${manifest.version}$`), name)
    assert.equal(said.get('enabled'), 'enabled')
    assert.equal(said.get('user'), 'modemd modemd')
    assert.equal(said.get('profiles'), 'modemd 700')
    assert.match(said.get('check') ?? '', /^modemd: no fault/)
    assert.equal(said.get('manual'), String(readdirSync(MANUALS).length))
    assert.equal(said.get('bash'), '/usr/share/bash-completion/completions/mmctl')
    assert.equal(said.get('zsh'), '/usr/share/zsh/vendor-completions/_mmctl')
    assert.equal(said.get('fish'), '/usr/share/fish/vendor_completions.d/mmctl.fish')
    assert.match(said.get('as modemd') ?? '', /The bus cannot be used/)
    assert.equal(said.get('removed'), 'mine.conf 1')
    assert.equal(said.get('left')?.trim(), '')
  } finally {
    rmSync(folder, { recursive: true })
  }
})
