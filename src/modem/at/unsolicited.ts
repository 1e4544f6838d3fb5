/**
 * Which lines a modem says unasked. `channel.ts` asks for every line that comes while a command waits: a report between or
 * inside a reply goes aside and does not become part of the answer (3GPP TS 27.007, 27.005 and the vendors' AT manuals).
 */

/** `+CREG`, `^RSSI`; undefined where a line has no such head. */
export function prefixOf(line: string): string | undefined {
  return /^([+^*#$%_!&][A-Za-z0-9_]+)\s*:/.exec(line)?.[1]?.toUpperCase()
}

/** What `AT+CREG?` is answered with: `+CREG`; undefined for basic commands. */
export function answerPrefixOf(command: string): string | undefined {
  return /^AT([+^*#$%_!&][A-Z0-9_]+)/i.exec(command)?.[1]?.toUpperCase()
}

const REPORT_PREFIXES: ReadonlySet<string> = new Set([
  // 3GPP TS 27.007
  ...[
    '+CREG',
    '+CGREG',
    '+CEREG',
    '+C5GREG',
    '+CGEV',
    '+CUSD',
    '+CUSATP',
    '+CUSATEND',
    '+CIEV',
    '+CCWA',
    '+CLIP',
    '+COLP',
  ],
  ...['+CRING', '+CSSI', '+CSSU', '+CTZV', '+CTZE', '+CTZR', '+CTZDST', '+CSCON', '+CPIN', '+CFUN', '+CNEM'],
  // 3GPP TS 27.005
  ...['+CMTI', '+CMT', '+CDS', '+CDSI', '+CBM', '+CBMI'],
  // Huawei
  ...[
    '^RSSI',
    '^MODE',
    '^BOOT',
    '^SRVST',
    '^SIMST',
    '^DSFLOWRPT',
    '^HCSQ',
    '^NDISSTAT',
    '^NDISEND',
    '^STIN',
    '^SYSSTART',
  ],
  ...['^RFSWITCH', '^EONS', '^CSNR', '^HRSSILVL', '^ANLEVEL', '^LOCCHD', '^THERM', '^EARST', '^DATADSCN', '^WEND'],
  ...[
    '^CEND',
    '^CONN',
    '^CONF',
    '^ORIG',
    '^LWURC',
    '^REJINFO',
    '^DDTMF',
    '^SMMEMFULL',
    '^PDPSTAT',
    '^NWTIME',
    '^DCONN',
  ],
  // ZTE, Quectel, SIMCom, Sierra, Telit, u-blox, Option
  ...['+ZPASR', '+ZUSIMR', '+ZDONR', '+ZPSTM', '+ZEND', '+ZCIEV', '+ZSMT', '+ZURDY', '+ZIND'],
  ...[
    '+QIND',
    '+QUSIM',
    '+QSIMSTAT',
    '+QNWINFO',
    '+QPSMTIMER',
    '+QURC',
    '+PBREADY',
    '+NITZ',
    '+SIM',
    '+CSMINS',
    '*PSUTTZ',
    '*PSNWID',
  ],
  ...[
    '+WIND',
    '+KCNX_IND',
    '*CNTI',
    '#STN',
    '#QSS',
    '#NITZ',
    '#PSNT',
    '+UREG',
    '+UUSORD',
    '+UUPSDA',
    '+UUSIMSTAT',
    '_OSIGQ',
  ],
])

const BARE_REPORTS =
  /^(RING|RDY|READY|SMS READY|SMS DONE|CALL READY|PB DONE|SIM READY|AT COMMAND READY|APP RDY|NORMAL POWER DOWN|UNDER-VOLTAGE WARN?NING|OVER-VOLTAGE WARN?NING|\+PACSP\d|\+SYSSTART|\^SYSSTART|\+PBREADY|VOICE CALL: ?(BEGIN|END.*)|MISSED_CALL.*)$/i

/** Reports of two lines: the second is a message. */
const WITH_BODY: ReadonlySet<string> = new Set(['+CMT', '+CDS', '+CBM'])

export function hasBody(line: string): boolean {
  const prefix = prefixOf(line)
  return prefix !== undefined && WITH_BODY.has(prefix)
}

/**
 * Is the line a report while a command waits for lines that start with one of `expected`? With `isExact` any other headed line
 * is one; without, a line with an unknown head belongs to the reply (vendors answer `AT+CGMR` with heads of their own).
 */
export function isReport(line: string, expected: readonly string[], isExact: boolean): boolean {
  const prefix = prefixOf(line)
  if (prefix === undefined) return BARE_REPORTS.test(line)
  if (expected.includes(prefix)) return false
  return isExact || REPORT_PREFIXES.has(prefix)
}
