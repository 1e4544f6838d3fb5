/** +CPMS: the storages of messages (3GPP TS 27.005 §3.2.2). Used by messaging. */

import { bodiesOf, type Field, fieldsOf, groupOf, numberOf } from './fields.ts'

export interface StorageUse {
  /** `SM`, `ME`, `MT`, `SR`, `BM`; undefined in the answer to setting them. */
  readonly name?: string | undefined
  readonly used: number
  /** undefined where the modem does not say. */
  readonly total?: number | undefined
}

/** Reading and deleting, writing and sending, receiving. */
export interface CpmsReply {
  readonly read?: StorageUse | undefined
  readonly write?: StorageUse | undefined
  readonly receive?: StorageUse | undefined
}

export interface CpmsTest {
  readonly read: readonly string[]
  readonly write: readonly string[]
  readonly receive: readonly string[]
}

/** `+CPMS: "SM",3,20,"SM",3,20,"SM",3,20` (read) or `+CPMS: 3,20,3,20,3,20` (set). */
export function parseCpms(lines: readonly string[]): CpmsReply | undefined {
  const body = bodiesOf(lines, '+CPMS').at(-1)
  if (body === undefined || body.startsWith('(')) return undefined
  const uses: { name?: string; used: number; total?: number }[] = []
  let name: string | undefined
  let numbers: number[] = []
  const finish = () => {
    const [used, total] = numbers
    if (used !== undefined) uses.push({ ...(name ? { name } : {}), used, ...(total === undefined ? {} : { total }) })
    numbers = []
  }
  for (const field of fieldsOf(body)) {
    const number = numberOf(field)
    if (isStorage(field)) {
      finish()
      name = field.text.toUpperCase()
    } else if (number !== undefined && number >= 0) {
      if (numbers.length === 2) finish()
      numbers.push(number)
    }
  }
  finish()
  const [read, write, receive] = uses
  return read && { read, write, receive }
}

/** `+CPMS: ("SM","ME"),("SM","ME"),("SM")`; a group of one may lack its parentheses, and so may all. */
export function parseCpmsTest(lines: readonly string[]): CpmsTest | undefined {
  const body = bodiesOf(lines, '+CPMS').at(-1)
  if (body === undefined) return undefined
  const whole = /^\(\((.*)\)\)$/.exec(body.trim())
  const groups = fieldsOf(whole ? `(${whole[1]})` : body).map((field) => storagesOf(field))
  if (groups.flat().length === 0 && !body.includes('(')) return undefined
  const isFlat = !body.includes('(') && groups.length > 3
  const [read = [], write = [], receive = []] = isFlat ? [groups.flat(), groups.flat(), groups.flat()] : groups
  return { read, write, receive }
}

function storagesOf(field: Field): string[] {
  return groupOf(field).flatMap((each) => (isStorage(each) ? [each.text.toUpperCase()] : []))
}

/** Two letters, or a vendor's longer name: `SM`, `SM_P`. */
function isStorage({ text }: Field): boolean {
  return /^[A-Z]{2}(?:_[A-Z]{1,2})?$/i.test(text)
}
