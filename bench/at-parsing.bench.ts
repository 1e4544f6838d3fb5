// How long a modem's answer takes from its bytes to the parsed value: tokenizer and channel with a whole command, and each
// reply parser with the forms of test/transcripts/at; and noise through the tokenizer.

import { latin1 } from '../src/base/bytes.ts'
import { AtChannel } from '../src/modem/at/channel.ts'
import { parseCopsTest } from '../src/modem/at/replies/cops.ts'
import { parseRegistrationDetails } from '../src/modem/at/replies/creg.ts'
import { parseCsq } from '../src/modem/at/replies/csq.ts'
import { AtTokenizer } from '../src/modem/at/tokenizer.ts'
import { readForms } from '../test/modem/support/reply-forms.ts'
import { PARSERS } from '../test/modem/support/reply-parsers.ts'
import { median, printTable, type Row } from './table.ts'

const RUNS = 15
const ROUNDS = 2000
const FORM_ROUNDS = 30
const STREAM_BYTES = 4 << 20

const rows: Row[] = []
wholeReply('AT+CSQ, echo and two reports around, parsed', 'AT+CSQ', CSQ(), parseCsq, '≤ 20 µs')
wholeReply(
  'AT+CREG?, 7 fields, parsed',
  'AT+CREG?',
  '\r\n+CREG: 2,1,"00C3","0A1B",7\r\n\r\nOK\r\n',
  parseRegistrationDetails,
  '≤ 20 µs',
)
wholeReply('AT+COPS=?, 5 networks (340 bytes), parsed', 'AT+COPS=?', SCAN(), parseCopsTest, '')
forms()
noise()
printTable('AT replies', rows)

function CSQ(): string {
  return 'AT+CSQ\r\r\n^RSSI:18\r\n\r\n+CSQ: 20,99\r\n\r\nOK\r\n\r\n+CREG: 1,"00C3","0A1B",7\r\n'
}

function SCAN(): string {
  const networks = ['26201', '26202', '26203', '26207', '26221'].map(
    (plmn, at) => `(${at === 0 ? 2 : 1},"Network ${plmn}","Net ${plmn}","${plmn}",7)`,
  )
  return `\r\n+COPS: ${networks.join(',')},,(0,1,2,3,4),(0,1,2)\r\n\r\nOK\r\n`
}

/** From the bytes of one read to the value. */
function wholeReply(
  what: string,
  text: string,
  answer: string,
  parse: (lines: readonly string[]) => unknown,
  against: string,
): void {
  const bytes = latin1(answer)
  const samples: number[] = []
  for (let run = 0; run < RUNS; run++) {
    const channel = new AtChannel()
    const fromMs = performance.now()
    for (let round = 0; round < ROUNDS; round++) {
      channel.submit({ text, timeoutMs: 1000 }, round)
      channel.handle({ type: 'data', bytes }, round)
      let isRead = false
      for (let output = channel.poll(); output; output = channel.poll())
        if (output.type === 'event' && output.event.type === 'reply')
          isRead = parse(output.event.reply.lines) !== undefined
      if (!isRead) throw new Error(`${text} was not answered`)
    }
    samples.push(((performance.now() - fromMs) / ROUNDS) * 1000)
  }
  rows.push({ what, samples, unit: 'µs', against })
}

/** Every form by its own parser: the median and the slowest of them. */
function forms(): void {
  const all = readForms()
  const times = all.map(({ parser, lines }) => {
    const parse = PARSERS[parser]!
    const runs = Array.from({ length: RUNS }, () => {
      const fromMs = performance.now()
      for (let round = 0; round < FORM_ROUNDS; round++) parse(lines)
      return ((performance.now() - fromMs) / FORM_ROUNDS) * 1000
    })
    return { parser, lines, us: median(runs) }
  })
  const slowest = times.reduce((most, each) => (each.us > most.us ? each : most))
  rows.push({
    what: `one of ${all.length} forms by its parser`,
    samples: times.map(({ us }) => us),
    unit: 'µs',
    against: '≤ 20 µs',
  })
  const length = slowest.lines.join('\n').length
  rows.push({
    what: `  the slowest: ${slowest.parser}, ${length} bytes`,
    samples: [slowest.us],
    unit: 'µs',
    against: '',
  })
  const slow = times.filter(({ us }) => us > 20)
  rows.push({ what: '  how many take more than 20 µs', samples: [slow.length], unit: '', against: '0' })
}

function noise(): void {
  const bytes = new Uint8Array(65_536).map((_, at) => (at * 7919) % 251)
  const samples = Array.from({ length: RUNS }, () => {
    const tokenizer = new AtTokenizer()
    const fromMs = performance.now()
    for (let done = 0; done < STREAM_BYTES; done += bytes.length) tokenizer.push(bytes)
    return STREAM_BYTES / 1000 / (performance.now() - fromMs)
  })
  rows.push({ what: 'bytes of a wrong speed through the tokenizer', samples, unit: 'MB/s', against: '' })
}
