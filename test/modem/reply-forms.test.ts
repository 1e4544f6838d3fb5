import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { readForms } from './support/reply-forms.ts'
import { PARSERS } from './support/reply-parsers.ts'

const forms = readForms()

for (const title of new Set(forms.map((form) => form.title))) {
  test(title, () => {
    for (const { parser, lines, wanted } of forms.filter((form) => form.title === title)) {
      const parse = PARSERS[parser]
      assert.ok(parse, `no parser ${parser}`)
      assert.deepEqual(plain(parse(lines)), wanted, `${parser}: ${lines.join('\\n')}`)
    }
  })
}

test('every parser has forms', () => {
  const used = new Set(forms.map(({ parser }) => parser))
  assert.deepEqual(
    Object.keys(PARSERS).filter((name) => !used.has(name)),
    [],
  )
})

test('no parser throws, and none is slow, whatever becomes of a form', () => {
  const form = fc.constantFrom(...forms.map(({ lines }) => lines.join('\n')))
  const damage = fc.record({
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    cut: fc.nat({ max: 6 }),
    put: fc.stringMatching(/^[\x00-\xff]{0,5}$/),
  })
  fc.assert(
    fc.property(form, fc.array(damage, { maxLength: 4 }), (text, damages) => {
      let broken = text
      for (const { at, cut, put } of damages) {
        const index = Math.floor(at * broken.length)
        broken = broken.slice(0, index) + put + broken.slice(index + cut)
      }
      for (const parse of Object.values(PARSERS)) parse(broken.split('\n'))
    }),
    { seed: 31, numRuns: 400 },
  )
})

test('the longest line that a channel gives takes no parser long', () => {
  const long = ['"', '(', ',', ' ', '0', 'A', '(1,', '"a",', ':', '+CREG: 1', '\t', '-1,', 'a: b  '].map((part) =>
    part.repeat(Math.ceil(8192 / part.length)).slice(0, 8192),
  )
  // The processor's own time: a busy machine is no slow parser.
  const from = process.cpuUsage()
  let calls = 0
  for (const [name, parse] of Object.entries(PARSERS)) {
    const own = forms.filter(({ parser }) => parser === name)
    const heads = new Set(own.map(({ lines }) => /^[+^*#$%_!&][A-Za-z0-9_]+:/.exec(lines[0]!)?.[0] ?? ''))
    for (const head of heads)
      for (const body of long) {
        const start = process.cpuUsage()
        parse([head + body])
        calls++
        const tookMs = cpuMsSince(start)
        assert.ok(tookMs < 250, `${name} took ${tookMs} ms for ${head}${body.slice(0, 20)}`)
      }
  }
  assert.ok(cpuMsSince(from) / calls < 2, 'ms a call')
})

function cpuMsSince(start: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(start)
  return (user + system) / 1000
}

/** Without the fields that are undefined, as JSON has it. */
function plain(value: unknown): unknown {
  return value === undefined ? undefined : JSON.parse(JSON.stringify(value))
}
