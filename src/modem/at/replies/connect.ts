/** The CONNECT line → bit/s (ITU-T V.250 §6.2.7). Used by `dial.ts`. */

/**
 * `CONNECT 7200000`, `CONNECT 115200/ARQ`, `CONNECT 14.4 Mbps`, `CONNECT HSDPA(7.2)`; undefined where the modem names no speed
 * that can be read.
 */
export function parseConnectSpeed(report: string): number | undefined {
  const text = /^CONNECT\b\s*(.*)$/i.exec(report.trim())?.[1]
  if (!text) return undefined
  const scaled = /(\d+(?:\.\d+)?)\s*([kKMG])(?:bps|bit\/s|b\/s|bits?)?/.exec(text)
  if (scaled) return Math.round(Number(scaled[1]) * SCALE[scaled[2]!.toUpperCase() as 'K' | 'M' | 'G'])
  const megabits = /\((\d+\.\d+)\)/.exec(text)
  if (megabits) return Math.round(Number(megabits[1]) * 1_000_000)
  const plain = /(?:^|[^\d.])(\d{3,12})(?![\d.])/.exec(text)
  return plain ? Number(plain[1]) : undefined
}

const SCALE = { K: 1_000, M: 1_000_000, G: 1_000_000_000 }
