/** What the virtual modem answers, as tables: the whole reply with its line ends, in each personality's dialect. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type BenchOptions, ModemBench } from './modem-bench.ts'

interface Dialogue extends BenchOptions {
  readonly about: string
  /** Command without CR, then the reply with `\r\n` as `|`, without the echo. */
  readonly lines: readonly (readonly [string, string])[]
}

const IMEI = '001017000079205'

const DIALOGUES: readonly Dialogue[] = [
  {
    about: 'identity',
    lines: [
      ['AT', '|OK|'],
      ['AT+CGMI', '|Virtual||OK|'],
      ['AT+CGMM;+CGMR', '|Generic LTE|1.0||OK|'],
      ['AT+GSN', `|${IMEI}||OK|`],
      ['ATI', `|Manufacturer: Virtual|Model: Generic LTE|Revision: 1.0|IMEI: ${IMEI}|+GCAP: +CGSM||OK|`],
    ],
  },
  {
    about: 'V.250: several commands, case, blanks, noise before AT, lines that are no commands',
    lines: [
      ['atv1q0e0x4&c1&d2s0=0', '|OK|'],
      ['AT E0 +CMEE=1 ; +CMEE?', '|+CMEE: 1||OK|'],
      ['\x7e\xff\x7d#AT', '|OK|'],
      ['\nA\nT', '|OK|'],
      ['hello', ''],
      ['', ''],
      ['AT+CMEE=', '|ERROR|'],
      ['AT+CMEE=7', '|ERROR|'],
      ['AT+NOSUCH', '|ERROR|'],
      ['AT+=', '|ERROR|'],
      ['ATS7=50', '|OK|'],
      ['ATS7?', '|050||OK|'],
      [`AT${'x'.repeat(2000)}`, '|ERROR|'],
    ],
  },
  {
    about: 'backspace mends a line',
    lines: [['AT+CMEX\bE?', '|+CMEE: 0||OK|']],
  },
  {
    about: 'numeric results and silence by ATV0 and ATQ1',
    lines: [
      ['ATV0', '0\r'],
      ['AT+CSQ', '+CSQ: 21,99|0\r'],
      ['AT+NOSUCH', '4\r'],
      ['ATV1Q1', ''],
      ['AT', ''],
      ['ATQ0', '|OK|'],
    ],
  },
  {
    about: 'a SIM without a PIN',
    lines: [
      ['AT+CPIN?', '|+CPIN: READY||OK|'],
      ['AT+CCID', '|+CCID: 8900101000000079203||OK|'],
      ['AT+CIMI', '|001010000007920||OK|'],
      ['AT+CNUM', '|+CNUM: "","+15550007920",145||OK|'],
      ['AT+CLCK="SC",2', '|+CLCK: 0||OK|'],
      ['AT+CPIN=1234', '|ERROR|'],
    ],
  },
  {
    about: 'no SIM',
    sim: { isInserted: false },
    lines: [
      ['AT+CPIN?', '|ERROR|'],
      ['AT+CMEE=1', '|OK|'],
      ['AT+CPIN?', '|+CME ERROR: 10|'],
      ['AT+CCID', '|+CME ERROR: 10|'],
      ['AT+CREG?', '|+CREG: 0,0||OK|'],
      ['ATD*99#', '|+CME ERROR: 10|'],
      ['AT+CMEE=2', '|OK|'],
      ['AT+CPIN?', '|+CME ERROR: SIM not inserted|'],
    ],
  },
  {
    about: 'PIN: one wrong try, then the right one; tries are counted',
    sim: { pin: '1234' },
    lines: [
      ['AT+CMEE=1', '|OK|'],
      ['AT+CPIN?', '|+CPIN: SIM PIN||OK|'],
      ['AT+CPINR', '|+CPINR: SIM PIN,3,3|+CPINR: SIM PUK,10,10||OK|'],
      ['AT+CIMI', '|+CME ERROR: 11|'],
      ['AT+CCID', '|+CCID: 8900101000000079203||OK|'],
      ['AT+COPS?', '|+COPS: 0||OK|'],
      ['AT+CPIN=12', '|+CME ERROR: 50|'],
      ['AT+CPIN="4321"', '|+CME ERROR: 16|'],
      ['AT+CPINR', '|+CPINR: SIM PIN,2,3|+CPINR: SIM PUK,10,10||OK|'],
      ['AT+CPIN="1234"', '|OK|'],
      ['AT+CPINR="SIM PIN"', '|+CPINR: SIM PIN,3,3||OK|'],
      ['AT+CREG?', '|+CREG: 0,1||OK|'],
      ['AT+CLCK="SC",2', '|+CLCK: 1||OK|'],
      ['AT+CPWD="SC","1234","5678"', '|OK|'],
      ['AT+CLCK="SC",0,"1234"', '|+CME ERROR: 16|'],
      ['AT+CLCK="SC",0,"5678"', '|OK|'],
      ['AT+CLCK="SC",2', '|+CLCK: 0||OK|'],
    ],
  },
  {
    about: 'PUK: three wrong PINs, then the PUK',
    sim: { pin: '1234', puk: '87654321' },
    lines: [
      ['AT+CMEE=1', '|OK|'],
      ['AT+CPIN="1111"', '|+CME ERROR: 16|'],
      ['AT+CPIN="1111"', '|+CME ERROR: 16|'],
      ['AT+CPIN="1111"', '|+CME ERROR: 12|'],
      ['AT+CPIN?', '|+CPIN: SIM PUK||OK|'],
      ['AT+CPIN="1234"', '|+CME ERROR: 12|'],
      ['AT+CPIN="11111111","1234"', '|+CME ERROR: 16|'],
      ['AT+CPINR', '|+CPINR: SIM PIN,0,3|+CPINR: SIM PUK,9,10||OK|'],
      ['AT+CPIN="87654321","1234"', '|OK|'],
      ['AT+CPIN?', '|+CPIN: READY||OK|'],
    ],
  },
  {
    about: 'network: registration, operator, scan, signal',
    lines: [
      ['AT+CREG=?', '|+CREG: (0-2)||OK|'],
      ['AT+CREG?', '|+CREG: 0,1||OK|'],
      ['AT+CEREG=2', '|OK|'],
      ['AT+CEREG?', '|+CEREG: 2,1,"0001","0A1B2C3D",7||OK|'],
      ['AT+COPS?', '|+COPS: 0,0,"Virtual Mobile",7||OK|'],
      ['AT+COPS=3,2', '|OK|'],
      ['AT+COPS?', '|+COPS: 0,2,"00101",7||OK|'],
      [
        'AT+COPS=?',
        '|+COPS: (2,"Virtual Mobile","Virtual Mobile","00101",7),(3,"Faraway Mobile","Faraway Mobile","99942",7),,(0,1,2,3),(0,2)||OK|',
      ],
      ['AT+COPS=1,2,"99942"', '|ERROR|'],
      ['AT+CSQ', '|+CSQ: 21,99||OK|'],
      ['AT+CESQ', '|+CESQ: 99,99,255,255,19,50||OK|'],
      ['AT+CFUN?', '|+CFUN: 1||OK|'],
      ['AT+CFUN=4', '|+CEREG: 0||OK|'],
      ['AT+CSQ', '|+CSQ: 99,99||OK|'],
      ['AT+CFUN=1', '|+CEREG: 2||+CEREG: 1,"0001","0A1B2C3D",7||OK|'],
    ],
  },
  {
    about: 'roaming, and the number format',
    network: { mode: 'roaming' },
    lines: [
      ['AT+CREG?', '|+CREG: 0,5||OK|'],
      ['AT+COPS?', '|+COPS: 0,0,"Faraway Mobile",7||OK|'],
    ],
  },
  {
    about: 'denied: no call',
    network: { mode: 'denied' },
    lines: [
      ['AT+CMEE=1;+CREG?', '|+CREG: 0,3||OK|'],
      ['ATD*99#', '|+CME ERROR: 30|'],
      ['AT+COPS=1,2,"00101"', '|+CME ERROR: 32|'],
    ],
  },
  {
    about: 'nothing received',
    network: { mode: 'none' },
    lines: [
      ['AT+CREG?;+CSQ;+COPS?', '|+CREG: 0,2|+CSQ: 99,99|+COPS: 0||OK|'],
      ['AT+COPS=?', '|+COPS: ,(0,1,2,3),(0,2)||OK|'],
    ],
  },
  {
    about: 'contexts, and an APN the operator does not know',
    network: { apn: 'internet' },
    lines: [
      ['AT+CMEE=1', '|OK|'],
      ['AT+CGDCONT?', '|OK|'],
      ['AT+CGDCONT=1,"IP","wrong;apn"', '|OK|'],
      ['AT+CGDCONT=2,"ipv4v6","Internet"', '|OK|'],
      ['AT+CGDCONT?', '|+CGDCONT: 1,"IP","wrong;apn","",0,0|+CGDCONT: 2,"IPV4V6","Internet","",0,0||OK|'],
      ['AT+CGDCONT=0,"IP","a"', '|+CME ERROR: 50|'],
      ['AT+CGATT?', '|+CGATT: 1||OK|'],
      ['ATD*99***1#', '|+CME ERROR: 133|'],
      ['ATD*99***2#', '|CONNECT 150000000|'],
    ],
  },
  {
    about: 'the E173: its own commands, its words for the unknown, no blank after its colons',
    personality: 'huawei-e173',
    sim: { pin: '1234' },
    lines: [
      ['ATE0', '|OK|'],
      ['AT+CGMM', '|E173||OK|'],
      ['AT+CPINR', '|COMMAND NOT SUPPORT|'],
      ['AT+CEREG?', '|COMMAND NOT SUPPORT|'],
      ['AT^CPIN?', '|^CPIN:SIM PIN,3,10,3,10,3||OK|'],
      ['AT^SYSINFO', '|^SYSINFO:0,255,0,0,0,,4||OK|'],
      ['AT^CURC=0', '|OK|'],
      ['AT+CPIN="1234"', '|OK|'],
      ['AT^CPIN?', '|^CPIN:READY,,10,3,10,3||OK|'],
      ['AT^SYSINFO', '|^SYSINFO:2,3,0,5,1,,4||OK|'],
      ['AT^ICCID?', '|^ICCID:8900101000000079203||OK|'],
      ['AT^HWVER', '|^HWVER:"CD2E173M"||OK|'],
      ['AT^DDSETEX=2', '|OK|'],
      ['ATD*99#', '|CONNECT 7200000|'],
    ],
  },
]

for (const { about, lines, ...options } of DIALOGUES) {
  test(`dialogue: ${about}`, () => {
    const bench = new ModemBench(options)
    bench.say('ATE0')
    for (const [command, reply] of lines) {
      assert.equal(bench.say(command), reply.replaceAll('|', '\r\n'), command)
    }
  })
}

test('every dialogue is the same when each character comes alone', () => {
  for (const { lines, ...options } of DIALOGUES) {
    const bench = new ModemBench(options)
    bench.say('ATE0')
    for (const [command, reply] of lines) {
      const heard = [...`${command}\r`].map((char) => bench.send(char)).join('')
      assert.equal(heard, reply.replaceAll('|', '\r\n'), command)
    }
  }
})

test('the echo is exact, and characters typed ahead wait for the reply', () => {
  const bench = new ModemBench({ timings: { replyMs: () => 10 } })
  assert.equal(bench.send('AT\rAT+CMEE?\r'), 'AT\r')
  bench.pass(10)
  assert.equal(bench.heard(), '\r\nOK\r\nAT+CMEE?\r')
  bench.pass(10)
  assert.equal(bench.heard(), '\r\n+CMEE: 0\r\n\r\nOK\r\n')
})
