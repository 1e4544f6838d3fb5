/** Every parser of `src/modem/at/replies` by its name, as the transcripts call them. */

import * as technology from '../../../src/modem/at/replies/access-technology.ts'
import * as cclk from '../../../src/modem/at/replies/cclk.ts'
import * as ceer from '../../../src/modem/at/replies/ceer.ts'
import * as cesq from '../../../src/modem/at/replies/cesq.ts'
import * as cfun from '../../../src/modem/at/replies/cfun.ts'
import * as cgact from '../../../src/modem/at/replies/cgact.ts'
import * as cgdcont from '../../../src/modem/at/replies/cgdcont.ts'
import * as cgev from '../../../src/modem/at/replies/cgev.ts'
import * as clck from '../../../src/modem/at/replies/clck.ts'
import * as cme from '../../../src/modem/at/replies/cme.ts'
import * as cmgl from '../../../src/modem/at/replies/cmgl.ts'
import * as cmti from '../../../src/modem/at/replies/cmti.ts'
import * as cnum from '../../../src/modem/at/replies/cnum.ts'
import * as connect from '../../../src/modem/at/replies/connect.ts'
import * as cops from '../../../src/modem/at/replies/cops.ts'
import * as cpin from '../../../src/modem/at/replies/cpin.ts'
import * as cpms from '../../../src/modem/at/replies/cpms.ts'
import * as cpsi from '../../../src/modem/at/replies/cpsi.ts'
import * as creg from '../../../src/modem/at/replies/creg.ts'
import * as crsm from '../../../src/modem/at/replies/crsm.ts'
import * as csca from '../../../src/modem/at/replies/csca.ts'
import * as csq from '../../../src/modem/at/replies/csq.ts'
import * as cusd from '../../../src/modem/at/replies/cusd.ts'
import * as gstatus from '../../../src/modem/at/replies/gstatus.ts'
import * as hcsq from '../../../src/modem/at/replies/hcsq.ts'
import * as iccid from '../../../src/modem/at/replies/iccid.ts'
import * as identity from '../../../src/modem/at/replies/identity.ts'
import * as tries from '../../../src/modem/at/replies/pin-tries.ts'
import * as qcsq from '../../../src/modem/at/replies/qcsq.ts'
import * as qeng from '../../../src/modem/at/replies/qeng.ts'
import * as rfsts from '../../../src/modem/at/replies/rfsts.ts'
import * as simFiles from '../../../src/modem/at/replies/sim-files.ts'
import * as presence from '../../../src/modem/at/replies/sim-presence.ts'
import * as sysinfo from '../../../src/modem/at/replies/sysinfo.ts'
import * as ucged from '../../../src/modem/at/replies/ucged.ts'
import { decodeNumber, decodeText, decodeUssd } from '../../../src/modem/at/text.ts'

export type ReplyParser = (lines: readonly string[]) => unknown

const modules = [
  ...[
    technology,
    cclk,
    ceer,
    cesq,
    cfun,
    cgact,
    cgdcont,
    cgev,
    clck,
    cmgl,
    cmti,
    cnum,
    cops,
    cpin,
    cpms,
    cpsi,
    creg,
    crsm,
  ],
  ...[csca, csq, cusd, gstatus, hcsq, iccid, identity, tries, qcsq, qeng, rfsts, simFiles, presence, sysinfo, ucged],
]

/** These take one line, or know more than the lines. */
const SPECIAL: Readonly<Record<string, ReplyParser>> = {
  parseError: ([line = '']) => cme.parseError(line),
  explainError: ([line = '']) => cme.explainError(line),
  parseConnectSpeed: ([line = '']) => connect.parseConnectSpeed(line),
  parseCmglHeader: ([line = '']) => cmgl.parseCmglHeader(line),
  parseCmgrHeader: ([line = '']) => cmgl.parseCmgrHeader(line),
  parsePctAtPin: (lines) => tries.parsePct(lines, 'pin'),
  parsePctAtPuk: (lines) => tries.parsePct(lines, 'puk'),
  parsePct: (lines) => tries.parsePct(lines, undefined),
  parseCnsmodOfSim7000: (lines) => technology.parseCnsmod(lines, 'SIMCOM_SIM7000G'),
  parseCnsmodOfSim8200: (lines) => technology.parseCnsmod(lines, 'SIMCOM_SIM8200EA-M2'),
  parseCnsmod: (lines) => technology.parseCnsmod(lines),
  parseCeerOfSession: (lines) => ceer.parseCeer(lines, 'session'),
  parseCeer: (lines) => ceer.parseCeer(lines),
  technologyOf: ([line = '']) => technology.technologyOf(line),
  decodeText: ([line = '']) => decodeText(line),
  decodeTextAsUcs2: ([line = '']) => decodeText(line, 'UCS2'),
  decodeNumber: ([line = '']) => decodeNumber(line),
  decodeUssd: ([line = '']) => decodeUssd(line),
  decodeUssdGsm: ([line = '']) => decodeUssd(line, 15),
  decodeUssdUcs2: ([line = '']) => decodeUssd(line, 72),
}

export const PARSERS: Readonly<Record<string, ReplyParser>> = {
  ...Object.fromEntries(
    modules.flatMap((module) => Object.entries(module).filter(([name]) => name.startsWith('parse'))) as [
      string,
      ReplyParser,
    ][],
  ),
  ...SPECIAL,
}
