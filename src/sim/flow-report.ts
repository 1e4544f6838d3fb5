/** Huawei's ^DSFLOWRPT: seconds, current rates, totals and the agreed rates of a call, all in hexadecimal. Used by `modem-state.ts`. */

const RATE_BYTES_PER_S = 7_200_000 / 8

export function flowReport(seconds: number, txBytes: number, rxBytes: number): string {
  const hex = (value: number, digits: number) => Math.floor(value).toString(16).toUpperCase().padStart(digits, '0')
  const rates = [hex(RATE_BYTES_PER_S, 8), hex(RATE_BYTES_PER_S, 8)]
  return `^DSFLOWRPT:${[hex(seconds, 8), hex(0, 8), hex(0, 8), hex(txBytes, 16), hex(rxBytes, 16), ...rates].join(',')}`
}
