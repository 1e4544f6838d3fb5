/**
 * Which lines a modem says unasked. `channel.ts` asks for every line that comes while a command waits: a report between or
 * inside a reply goes aside and does not become part of the answer (3GPP TS 27.007, 27.005 and the vendors' AT manuals).
 */

/** `+CREG`, `^RSSI`; undefined where a line has no such head. */
export function prefixOf(line: string): string | undefined {
  return /^([+^*#$%_!&][A-Za-z0-9_]+)\s*:/.exec(line)?.[1]?.toUpperCase()
}

/** What `AT+CREG?` is answered with: `+CREG`; undefined for basic commands. */
function answerPrefixOf(command: string): string | undefined {
  return /^AT([+^*#$%_!&][A-Z0-9_]+)/i.exec(command)?.[1]?.toUpperCase()
}

/** Of every command in the line: `AT+COPS=3,2;+COPS?` has one, `AT+CREG?;+CGREG?` two. */
export function answerPrefixesOf(command: string): readonly string[] {
  const first = answerPrefixOf(command)
  if (!command.includes(';')) return first === undefined ? [] : [first]
  const all = Array.from(command.matchAll(/(?:^AT|;)([+^*#$%_!&][A-Z0-9_]+)/gi), ([, prefix]) => prefix!.toUpperCase())
  return [...new Set(all)]
}

const words = (text: string) => text.trim().split(/\s+/)

const REPORT_PREFIXES: ReadonlySet<string> = new Set([
  // 3GPP TS 27.007
  ...words(`+CREG +CGREG +CEREG +C5GREG +CGEV +CUSD +CUSATP +CUSATEND +CUSATS +CIEV +CCWA +CLIP +COLP +CDIP +CNAP +CRING
    +CSSI +CSSU +CTZV +CTZE +CTZEU +CTZR +CTZDST +CSCON +CPIN +CFUN +CNEM +CIREPI +CIREPH +CIREGU +CMCCSI +CMWN +CPINRE +CDEV +CKEV`),
  // 3GPP TS 27.005
  ...words('+CMTI +CMT +CDS +CDSI +CBM +CBMI'),
  // Huawei
  ...words(`^RSSI ^CRSSI ^LTERSRP ^CERSSI ^MODE ^BOOT ^SRVST ^SIMST ^DSFLOWRPT ^HCSQ ^NDISSTAT ^NDISEND ^STIN ^SYSSTART ^RFSWITCH
    ^EONS ^CSNR ^HRSSILVL ^ANLEVEL ^LOCCHD ^THERM ^EARST ^DATADSCN ^WEND ^CEND ^CONN ^CONF ^ORIG ^LWURC ^REJINFO ^DDTMF
    ^SMMEMFULL ^PDPSTAT ^NWTIME ^DCONN ^DEND ^DDSI ^SIMREFRESH ^DATACLASS ^ACTIVEBAND ^CSFBLIST ^MONP ^LENDC ^USIMSTUB ^SARPWR
    ^VMSET ^NWNAME ^IMSCHG ^CCALLSTATE ^XDSSTAT ^DATACONNECT`),
  // ZTE
  ...words(
    '+ZPASR +ZUSIMR +ZDONR +ZPSTM +ZEND +ZCIEV +ZSMT +ZURDY +ZIND +ZMSRI +ZULRTIND +ZPBIC +ZSQR +ZNITZ +ZICCIDR',
  ),
  // Quectel
  ...words(
    '+QIND +QUSIM +QSIMSTAT +QPSMTIMER +QURC +QIURC +QSSLURC +QNITZ +QSTKURC +QNETDEVSTATUS +QJDR +QSTK +QMTSTAT',
  ),
  // SIMCom, and MediaTek and ASR inside
  ...words(`+PBREADY +NITZ +SIM +CSMINS +CSQ +CSQN +CNSMOD *PSUTTZ *PSNWID *ATREADY +STIN +CIPEVENT +PDP +STC +SMSFULL +ECPI +EIND +EUSIM
    +ESIMS +MSTK +MMSG +MPBK +ECIND +SPERROR`),
  // Sierra, Telit, Cinterion, Option, Ericsson, Intel, Icera
  ...words(`+WIND +KCNX_IND +KSUP *CNTI #STN #QSS #NITZ #PSNT #CENS #MWI #PSMRI #ECAM ^SYSSTART +CTZU ^CIEV ^SLCC ^SIND ^SBC ^SCTM ^SIS ^SISR ^SISW
    ^SSTN ^SCKS ^SMGO _OSIGQ _OCTI _OUWCTI _OWCTI _OBLS _OSSYS _OPATEMP _OWANCALL *EMRDY *E2NAP *E2CFUN *EPEV *ETZV *EMWI
    *STKI *STKEND *ERINFO +XCIEV +XSIM +XREG +XNITZINFO +XCALLSTAT +XUICC %NWSTATE %IPDPACT %TSM`),
  // u-blox
  ...words('+UREG +UMWI'),
])

const BARE_REPORTS =
  /^(RING|RDY|READY|SMS (READY|DONE|FULL)|CALL READY|PB (DONE|READY)|SIM (READY|REMOVED|INSERTED|DROP)|\+SIM (REMOVED|INSERTED)|AT COMMAND READY|APP RDY|LTE READY|GPS READY|(NORMAL |UNDER-VOLTAGE |OVER-VOLTAGE )?POWER(ED)? DOWN|UNDER-VOLTAGE WARN?NING|OVER-VOLTAGE WARN?NING|\+PACSP\d|\+SYSSTART|\^SYSSTART.*|\^SHUTDOWN|\^EXIT|\^SSIM READY|\+PBREADY|\+PDP DEACT|\*?PSUTTZ: .*|DST: \d|SYSSTART|MODEM STARTUP|STARTUP|VOICE CALL: ?(BEGIN|END.*)|MISSED_CALL.*|\+SMS FULL|\+APP PDP: .*)$/i

export function isReportPrefix(prefix: string): boolean {
  return REPORT_PREFIXES.has(prefix) || prefix.startsWith('+UU')
}

/** Reports of two lines: the second is a message. In text mode a delivery report has all in the first. */
export function hasBody(line: string): boolean {
  const prefix = prefixOf(line)
  if (prefix === '+CDS') return /^[^:]*:\s*(?:[^,]*,)?\s*\d+\s*$/.test(line)
  return prefix === '+CMT' || prefix === '+CBM'
}

/**
 * Is the line a report while a command waits for lines that start with one of `expected`? With `isExact` any other headed line
 * is one; without, a line with an unknown head belongs to the reply (vendors answer `AT+CGMR` with heads of their own).
 */
export function isReport(line: string, expected: readonly string[], isExact: boolean): boolean {
  const prefix = prefixOf(line)
  if (prefix === undefined) return BARE_REPORTS.test(line)
  if (expected.includes(prefix)) return false
  return isExact || isReportPrefix(prefix)
}
