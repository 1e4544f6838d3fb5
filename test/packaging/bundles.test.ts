/** The built programs as files. */

import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import test from 'node:test'

const DIST = new URL('../../dist/', import.meta.url)

test('every bundle is plain ASCII: V8 keeps a text with one other letter at two bytes a character, for as long as the program runs', () => {
  const bundles = readdirSync(DIST).filter((name) => name.endsWith('.cjs'))
  assert.ok(bundles.length >= 6)
  for (const name of bundles) {
    const [found] = /.{0,60}[^\0-\x7f].{0,20}/.exec(readFileSync(new URL(name, DIST), 'utf8')) ?? []
    assert.equal(found, undefined, `dist/${name}: write it as a string, which esbuild escapes, or as \\u….`)
  }
})
