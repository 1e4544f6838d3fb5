/** The documents that the package holds: their links lead to what is in it, too. */

import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path/posix'
import test from 'node:test'

const PROJECT = new URL('../../', import.meta.url)
const { placeOf, withPlacedLinks } = (await import(new URL('scripts/package-files.mjs', PROJECT).href)) as {
  placeOf(path: string): string | undefined
  withPlacedLinks(path: string, text: string): string
}

const inProject = (path: string) => new URL(path, PROJECT)
const filesIn = (folder: string) => readdirSync(inProject(folder)).map((name) => `${folder}${name}`)
const DOCUMENTS = [
  'README.md',
  ...[...filesIn('docs/'), ...filesIn('docs/decisions/')].filter((path) => /\.md$/.test(path)),
]

test('every document is packaged, and no link in it is dead there', () => {
  const places = [...DOCUMENTS, 'docs/man/', 'docs/decisions/', 'dbus/'].map(placeOf)
  assert.ok(DOCUMENTS.length > 12)
  for (const path of DOCUMENTS) {
    const place = placeOf(path)
    assert.ok(place !== undefined, path)
    const text = withPlacedLinks(path, readFileSync(inProject(path), 'utf8'))
    for (const [, link] of text.matchAll(/\]\((?!https?:|#)([^)#]+)/g))
      assert.ok(places.includes(join(dirname(place), link!)), `${path}: ${link}`)
  }
  assert.match(withPlacedLinks('README.md', readFileSync(inProject('README.md'), 'utf8')), /\]\(metrics\.md\)/)
})

test('links in the repository lead somewhere, too', () => {
  for (const path of DOCUMENTS)
    for (const [, link] of readFileSync(inProject(path), 'utf8').matchAll(/\]\((?!https?:|#)([^)#]+)/g))
      assert.ok(existsSync(inProject(join(dirname(path), link!))), `${path}: ${link}`)
})

test('a link to what is not in the package is no silent one', () => {
  assert.throws(() => withPlacedLinks('README.md', 'see [tests](test/)'), /README\.md links to test\/, which is not/)
  assert.equal(
    withPlacedLinks('docs/privileges.md', '[a](../dbus/) [b](https://x.org/)'),
    '[a](../../dbus-1/interfaces/) [b](https://x.org/)',
  )
})
