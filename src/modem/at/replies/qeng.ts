/** Quectel's +QENG="servingcell": cell and signal (EC2x QuecCell Application Note, RG50x AT Commands Manual). */

import { technologyOf } from './access-technology.ts'
import { bodiesOf, decimalOf, type Field, fieldsOf, numberOf } from './fields.ts'
import type { ServingCell } from './rfsts.ts'
import { measureOf } from './signal-measure.ts'

export interface QengReply {
  /** SEARCH, LIMSRV, NOCONN, CONNECT: lower case. */
  readonly state?: string | undefined
  /** The anchor first, then the 5G leg. */
  readonly cells: readonly ServingCell[]
}

/** Where each value stands behind the technology's name. */
interface Layout {
  readonly mcc: number
  readonly area?: number
  readonly cell?: number
  readonly rssi?: number
  readonly rsrp?: number
  readonly rsrq?: number
  readonly sinr?: number
  readonly rscp?: number
  readonly ecio?: number
}

const LAYOUTS: Readonly<Record<string, Layout>> = {
  // "FDD",MCC,MNC,cell,PCI,EARFCN,band,UL,DL,TAC,RSRP,RSRQ,RSSI,SINR,…
  LTE: { mcc: 1, cell: 3, area: 9, rsrp: 10, rsrq: 11, rssi: 12, sinr: 13 },
  // "TDD",MCC,MNC,cell,PCI,TAC,ARFCN,band,DL,RSRP,RSRQ,SINR,…
  'NR5G-SA': { mcc: 1, cell: 3, area: 5, rsrp: 9, rsrq: 10, sinr: 11 },
  // MCC,MNC,PCI,RSRP,SINR,RSRQ,…
  'NR5G-NSA': { mcc: 0, rsrp: 3, sinr: 4, rsrq: 5 },
  // MCC,MNC,LAC,cell,UARFCN,PSC,RAC,RSCP,Ec/Io,…
  WCDMA: { mcc: 0, area: 2, cell: 3, rscp: 7, ecio: 8 },
  // MCC,MNC,LAC,cell,BSIC,ARFCN,band,RXLEV,…
  GSM: { mcc: 0, area: 2, cell: 3, rssi: 7 },
}

/** One line for all, or a first line with the state and one a cell. */
export function parseQeng(lines: readonly string[]): QengReply | undefined {
  const bodies = bodiesOf(lines, '+QENG')
  if (bodies.length === 0) return undefined
  let state: string | undefined
  const cells: ServingCell[] = []
  for (const body of bodies) {
    let fields = fieldsOf(body)
    if (fields[0]?.text.toLowerCase() === 'servingcell') {
      state = fields[1]?.text.toLowerCase()
      fields = fields.slice(2)
    }
    const [name, ...values] = fields
    const cell = name && name.text !== '' ? cellOf(name.text, values) : undefined
    if (cell) cells.push(cell)
  }
  return state === undefined && cells.length === 0 ? undefined : { state, cells }
}

function cellOf(name: string, values: readonly Field[]): ServingCell | undefined {
  const upper = name.toUpperCase()
  const key = upper === 'EMTC' || upper.startsWith('CAT-') || upper === 'NBIOT' ? 'LTE' : upper
  const layout = LAYOUTS[key]
  if (!layout) return undefined
  const at = (index: number | undefined) => (index === undefined ? undefined : decimalOf(values[index]))
  const rssi = at(layout.rssi)
  const measure = measureOf(technologyOf(upper), {
    rssi: rssi !== undefined && key === 'GSM' && rssi >= 0 ? rssi - 111 : rssi,
    rsrp: at(layout.rsrp),
    rsrq: at(layout.rsrq),
    sinr: key === 'LTE' ? lteSinr(at(layout.sinr)) : at(layout.sinr),
    rscp: at(layout.rscp),
    ecio: at(layout.ecio),
  })
  const plmn = plmnOf(values[layout.mcc], values[layout.mcc + 1])
  const area = layout.area === undefined ? undefined : values[layout.area]
  const cell = layout.cell === undefined ? undefined : values[layout.cell]
  return {
    ...measure,
    ...(plmn === undefined ? {} : { plmn }),
    ...(isHex(area) ? { area: area.text.toUpperCase() } : {}),
    ...(isHex(cell) ? { cell: cell.text.toUpperCase() } : {}),
  }
}

/** The modules of EC20's family count 0 to 250 in fifths above -20 dB, later ones give dB. */
function lteSinr(value: number | undefined): number | undefined {
  return value !== undefined && value > 50 ? value / 5 - 20 : value
}

function plmnOf(mcc: Field | undefined, mnc: Field | undefined): string | undefined {
  if (numberOf(mcc) === undefined || numberOf(mnc) === undefined) return undefined
  const plmn = `${mcc!.text}${mnc!.text.padStart(2, '0')}`
  return /^\d{5,6}$/.test(plmn) ? plmn : undefined
}

function isHex(field: Field | undefined): field is Field {
  return field !== undefined && /^[0-9A-Fa-f]{2,10}$/.test(field.text)
}
