/** The one encoder: what reaches the library is always sound, whatever it was given. */

import assert from 'node:assert/strict'
import test from 'node:test'
import { ModemdError } from '../../src/base/errors.ts'
import { encodeBody } from '../../src/bus/encoder.ts'
import { escapePathElement } from '../../src/bus/path-escape.ts'
import { isInterfaceName, isMemberName, isObjectPath, parseSignature, variant } from '../../src/bus/signature.ts'

const encode = (signature: string, ...body: readonly unknown[]) =>
  encodeBody(signature, body, (type, value) => ({ type, value }))

const isRefused = (signature: string, ...body: readonly unknown[]) => {
  const isInternal = (error: unknown) => error instanceof ModemdError && error.code === 'Internal'
  assert.throws(() => encode(signature, ...body), isInternal, `${signature} ${String(body)}`)
}

test('signatures: what the specification allows, and nothing else', () => {
  for (const good of ['', 's', 'sa{sv}as', 'a{oa{sa{sv}}}', 'a(sss)', '(i(sd)v)', 'aaay', `${'a'.repeat(32)}s`]) {
    assert.ok(parseSignature(good), good)
  }
  const bad = ['a', '(', '()', '(s', 's)', '{sv}', 'a{s}', 'a{sss}', 'a{vs}', 'a{(s)s}', 'a{sv', 'h', 'z', 'as\0']
  for (const each of [...bad, `${'a'.repeat(33)}s`, `${'('.repeat(33)}s${')'.repeat(33)}`, 's'.repeat(256)]) {
    assert.equal(parseSignature(each), undefined, each)
  }
})

test('names and paths', () => {
  for (const good of ['/', '/org/modemd', '/a/_2d/1']) assert.ok(isObjectPath(good), good)
  for (const bad of ['', 'a', '/a/', '//', '/a//b', '/a-b', '/ä', '/a\n']) assert.ok(!isObjectPath(bad), bad)
  assert.ok(isInterfaceName('org.modemd.Manager1'))
  for (const bad of ['', 'org', 'org..x', '.org.x', 'org.1x', 'org.a-b', `a.${'b'.repeat(255)}`]) {
    assert.ok(!isInterfaceName(bad), bad)
  }
  assert.ok(isMemberName('Connect'))
  for (const bad of ['', '1x', 'a.b', 'a-b', 'a\n']) assert.ok(!isMemberName(bad), bad)
})

test('ids become path elements as sd_bus_path_encode writes them', () => {
  assert.equal(escapePathElement('imei_356938035643809'), 'imei_5f356938035643809')
  assert.equal(escapePathElement('a-b.c'), 'a_2db_2ec')
  assert.equal(escapePathElement('1a1'), '_31a1')
  assert.equal(escapePathElement(''), '_')
  assert.equal(escapePathElement('ä'), '_c3_a4')
})

test('text: NUL and lone surrogates are replaced, everything else stays', () => {
  assert.deepEqual(encode('s', 'a\0b\ud800c\udc00'), ['a\ufffdb\ufffdc\ufffd'])
  assert.deepEqual(encode('s', 'Tele\u{1f4f6}kom\n\x1b'), ['Tele\u{1f4f6}kom\n\x1b'])
  assert.deepEqual(encode('as', ['\0']), [['\ufffd']])
  assert.deepEqual(encode('a{sv}', { 'k\0': variant('s', 'v\0') }), [{ 'k\ufffd': { type: 's', value: 'v\ufffd' } }])
  isRefused('s', 'x'.repeat(1024 * 1024 + 1))
})

test('numbers are checked against their type', () => {
  assert.deepEqual(encode('ynqiu', 255, -32768, 65535, -(2 ** 31), 2 ** 32 - 1), [
    255,
    -32768,
    65535,
    -(2 ** 31),
    2 ** 32 - 1,
  ])
  assert.deepEqual(encode('xt', -(2n ** 63n), 2n ** 64n - 1n), [-(2n ** 63n), 2n ** 64n - 1n])
  for (const [signature, value] of [
    ['y', 256],
    ['y', -1],
    ['y', 1.5],
    ['u', 2 ** 32],
    ['i', Number.NaN],
    ['q', '1'],
    ['t', 1],
    ['t', -1n],
    ['x', 2n ** 63n],
    ['d', Number.NaN],
    ['d', Number.POSITIVE_INFINITY],
    ['d', '1'],
    ['b', 1],
    ['b', undefined],
  ] as const) {
    isRefused(signature, value)
  }
})

test('containers have the shape of their signature', () => {
  assert.deepEqual(encode('a(sss)', [['a', 'b', 'c']]), [[['a', 'b', 'c']]])
  assert.deepEqual(encode('v', variant('as', ['x'])), [{ type: 'as', value: ['x'] }])
  isRefused('o', 'no/path')
  isRefused('g', 'a{')
  isRefused('as', 'text')
  isRefused('(ss)', ['one'])
  isRefused('a{sv}', { a: 'no variant' })
  isRefused('a{sv}', { a: { signature: 's', value: 'looks like one' } })
  isRefused('a{sv}', ['list'])
  isRefused('a{sv}', null)
  isRefused('a{us}', { 1: 'x' })
  isRefused('v', variant('ss', ['a', 'b']))
  isRefused('v', variant('a', []))
  isRefused('ss', 'one')
  isRefused('a', [])
})
