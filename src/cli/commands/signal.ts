/** `mmctl signal`: how well the modem hears its network; with `--watch` as a chart that goes on. */

import type { Command } from 'commander'
import { chooseModem } from '../choose.ts'
import type { CommandTools } from '../command.ts'
import type { Daemon, Modem } from '../daemon.ts'
import { CliError } from '../errors.ts'
import { EXIT, type ExitCode } from '../exit-codes.ts'
import { chartLines, type Sample } from '../output/chart.ts'
import { formatLevel, formatTime } from '../output/format.ts'
import { type JsonObject, propertiesToJson } from '../output/json.ts'
import { pairs } from '../output/table.ts'
import { clean, cut } from '../output/text.ts'
import type { Session } from '../session.ts'
import { cleanText, signalPairs, technologyOf } from '../views.ts'
import { untilInterrupted } from '../watch.ts'

export function addSignal(program: Command, { command, run }: CommandTools): void {
  command(program, 'signal [modem]', 'level, quality and technology', 'mmctl signal --watch')
    .option('--watch', 'a live chart, or a line a change; until interrupted')
    .action((modem: string | undefined, { watch }: { watch?: true }) =>
      run((session) => (watch ? watchSignal(session, modem) : showSignal(session, modem))),
    )
}

const POLL_SECONDS = 1
const STEP_MS = 1000
const CHART_ROWS = 10
const WIDEST_CHART = 120
const CHART_MARGIN = 8

export async function showSignal(session: Session, wanted: string | undefined): Promise<ExitCode | undefined> {
  const modem = chooseModem(await session.load(), wanted)
  const { output } = session
  const rows = signalPairs(modem.properties, modem.signal)
  if (output.json) output.document(signalDocument(modem))
  else if (rows.some(([, value]) => value)) output.print(...pairs(rows, output.width, ''))
  else output.print(`The signal of ${clean(modem.id)} is not known (${modem.properties.text('State')}).`)
  return undefined
}

export async function watchSignal(session: Session, wanted: string | undefined): Promise<ExitCode | undefined> {
  const daemon = await session.follow()
  const modem = chooseModem(daemon, wanted)
  await setPoll(daemon, modem, POLL_SECONDS)
  const display = session.output.isTerminal ? await openChart(session, daemon, modem) : openLines(session)
  display.show(modem)
  try {
    await untilInterrupted(session, daemon, (change) => {
      if (change.type === 'gone')
        throw new CliError(
          'org.freedesktop.DBus.Error.NameHasNoOwner',
          'modemd has left the bus: see `journalctl -u modemd`',
        )
      const now = daemon.modems.find(({ path }) => path === modem.path)
      if (!now)
        throw new CliError('org.modemd.Error.ModemGone', `${modem.id} is gone: plug it in again`, {
          cause: 'modem-gone',
        })
      if ('path' in change && change.type !== 'stepped' && change.path === modem.path) display.show(now)
    })
  } finally {
    display.close()
    await setPoll(daemon, modem, 0)
  }
  return undefined
}

interface Display {
  show(modem: Modem): void
  close(): void
}

/** Whoever may not set the pace, or has lost the modem, watches at the pace that there is. */
async function setPoll(daemon: Daemon, modem: Modem, seconds: number): Promise<void> {
  try {
    await daemon.call(modem.path, 'Signal1', 'SetPoll', 'u', [seconds])
  } catch (error) {
    const isExpected = error instanceof CliError && error.exitCode !== EXIT.usage
    if (!isExpected) throw error
  }
}

/** One line, or one document, a change of what they would say. */
function openLines({ output, clock }: Session): Display {
  let last = ''
  return {
    show: (modem) => {
      const said = output.json ? JSON.stringify(signalDocument(modem)) : summary(modem)
      if (said === last) return
      last = said
      if (output.json) output.document(signalDocument(modem))
      else output.print(`${formatTime(Number(clock.wallUs()) / 1000)}  ${said}`)
    },
    close: () => {},
  }
}

async function openChart(session: Session, daemon: Daemon, modem: Modem): Promise<Display> {
  const { output, clock } = session
  const samples = await readHistory(daemon, modem)
  let current = modem
  let drawn = 0
  let cancelTick = () => {}
  const draw = () => {
    cancelTick()
    const columns = Math.max(10, Math.min(WIDEST_CHART, output.width - CHART_MARGIN))
    const nowMs = Number(clock.wallUs()) / 1000
    const chart = chartLines(samples, { columns, rows: CHART_ROWS, nowMs, stepMs: STEP_MS })
    const title = [cleanText(current.properties, 'Model'), clean(current.id)].filter(Boolean).join(' ')
    const lines = [title, ...chart, summary(current)].map((line) => cut(line, output.width - 1))
    const back = drawn > 0 ? `\x1b[${drawn}A` : ''
    output.raw(back + lines.map((line) => `\x1b[2K${line}\n`).join(''))
    drawn = lines.length
    cancelTick = clock.at(clock.nowMs() + STEP_MS, draw)
  }
  return {
    show: (now) => {
      current = now
      const level = now.properties.number('SignalDbm')
      if (level !== undefined) samples.push({ atMs: Number(clock.wallUs()) / 1000, level })
      if (samples.length > 2 * WIDEST_CHART) samples.splice(0, samples.length - WIDEST_CHART)
      draw()
    },
    close: () => cancelTick(),
  }
}

async function readHistory(daemon: Daemon, modem: Modem): Promise<Sample[]> {
  const [history] = await daemon.call(modem.path, 'Signal1', 'History')
  return (history as readonly (readonly [number, number])[]).map(([atUs, level]) => ({ atMs: atUs / 1000, level }))
}

/** `-71 dBm  67 %  LTE`. */
function summary(modem: Modem): string {
  const { properties, signal } = modem
  const dbm = properties.number('SignalDbm')
  const quality = properties.number('SignalQuality')
  const parts = [
    dbm === undefined ? '' : formatLevel(dbm, 'dBm'),
    quality === undefined ? '' : `${quality} %`,
    technologyOf(properties, signal),
  ]
  return parts.filter(Boolean).join('  ') || 'no signal known'
}

function signalDocument({ id, properties, signal }: Modem): JsonObject {
  const { signalQuality, signalDbm, accessTechnologies } = propertiesToJson(properties.values)
  return { id, signalQuality, signalDbm, accessTechnologies, ...propertiesToJson(signal?.values ?? {}) }
}
