/** What the virtual modem answers, as tables: the whole reply with its line ends, in each personality's dialect. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { loadPersonality } from '../../src/sim/personality.ts'
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
      ['AT+CPINR', '|+CPINR: SIM PIN,3,3|+CPINR: SIM PUK,10,10|+CPINR: SIM PIN2,3,3|+CPINR: SIM PUK2,10,10||OK|'],
      ['AT+CIMI', '|+CME ERROR: 11|'],
      ['AT+CCID', '|+CCID: 8900101000000079203||OK|'],
      ['AT+COPS?', '|+COPS: 0||OK|'],
      ['AT+CPIN=12', '|+CME ERROR: 50|'],
      ['AT+CPIN="4321"', '|+CME ERROR: 16|'],
      ['AT+CPINR', '|+CPINR: SIM PIN,2,3|+CPINR: SIM PUK,10,10|+CPINR: SIM PIN2,3,3|+CPINR: SIM PUK2,10,10||OK|'],
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
      ['AT+CPINR', '|+CPINR: SIM PIN,0,3|+CPINR: SIM PUK,9,10|+CPINR: SIM PIN2,3,3|+CPINR: SIM PUK2,10,10||OK|'],
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
        '|+COPS: (2,"Virtual Mobile","Virtual Mobile","00101",7),(1,"Second Mobile","Second Mobile","00102",7),(3,"Faraway Mobile","Faraway Mobile","99942",7),,(0,1,2,3),(0,2)||OK|',
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
  {
    about: 'the MF190: AT+Z…, reports of operator and service',
    personality: 'zte-mf190',
    sim: { pin: '1234' },
    lines: [
      ['ATE0', '|OK|'],
      ['AT+CGMI', '|ZTE INCORPORATED||OK|'],
      ['AT+CPINR', '|ERROR|'],
      ['AT+CIMI', '|ERROR|'],
      ['AT+ZPINPUK=?', '|+ZPINPUK: 3,10||OK|'],
      ['AT+ZGETICCID', '|+ZGETICCID: 8900101000000079203||OK|'],
      ['AT+ZPAS?', '|+ZPAS: "No Service"||OK|'],
      ['AT+CPIN="1234"', '|+ZDONR: "Virtual Mobile",001,01,"CS_PS","ROAM_OFF"||+ZPASR: "HSDPA"||OK|'],
      ['AT+ZPAS?', '|+ZPAS: "HSDPA","CS_PS"||OK|'],
      ['AT+CREG=2', '|OK|'],
      ['AT+CREG?', '|+CREG: 2,1,"0001","0A1B2C3D",6||OK|'],
      ['AT+CEREG?', '|ERROR|'],
      ['AT+ZRSSI', '|+ZRSSI: 71,12,154||OK|'],
      ['AT+ZCDRUN=8', '|Close autorun state result(0:FAIL 1:SUCCESS):1||OK|'],
      ['ATD*99#', '|CONNECT 7200000|'],
    ],
  },
  {
    about: 'the EC25: signal, network, tries, indications',
    personality: 'quectel-ec25',
    sim: { pin: '1234' },
    lines: [
      ['ATE0', '|OK|'],
      ['ATI', '|Quectel|EC25|Revision: EC25EFAR06A06M4G||OK|'],
      ['AT+CPINR', '|ERROR|'],
      ['AT+QPINC?', '|+QPINC: "SC",3,10|+QPINC: "P2",3,10||OK|'],
      ['AT+QPINC="SC"', '|+QPINC: "SC",3,10||OK|'],
      ['AT+QCCID', '|+QCCID: 8900101000000079203F||OK|'],
      ['AT+QCSQ', '|+QCSQ: "NOSERVICE"||OK|'],
      ['AT+QNWINFO', '|+QNWINFO: No Service||OK|'],
      ['AT+CIMI', '|+CME ERROR: 11|'],
      ['AT+CPIN="1234"', '|OK|'],
      ['AT+QCSQ', '|+QCSQ: "LTE",-71,-91,175,-10||OK|'],
      ['AT+QNWINFO', '|+QNWINFO: "FDD LTE","00101","LTE BAND 3",1650||OK|'],
      ['AT+CEREG=2', '|OK|'],
      ['AT+CEREG?', '|+CEREG: 2,1,"0001","0A1B2C3D",7||OK|'],
      ['AT+QINDCFG="csq",1', '|OK|'],
      ['AT+QINDCFG="csq"', '|+QINDCFG: "csq",1||OK|'],
      ['AT+QINISTAT', '|+QINISTAT: 7||OK|'],
      ['AT+CESQ', '|+CESQ: 99,99,255,255,19,50||OK|'],
      [
        'AT+CGDCONT?',
        '|+CGDCONT: 1,"IPV4V6","","",0,0|+CGDCONT: 2,"IPV4V6","ims","",0,0|+CGDCONT: 3,"IPV4V6","sos","",0,0||OK|',
      ],
      ['AT+QNOSUCH', '|ERROR|'],
      ['ATD*99***1#', '|CONNECT 150000000|'],
    ],
  },
  {
    about: 'the SIM800: bare ICCID, no technology in +CREG, words of its own for the end',
    personality: 'simcom-sim800',
    sim: { pin: '1234' },
    lines: [
      ['ATE0', '|OK|'],
      ['ATI', '|SIM800 R14.18||OK|'],
      ['AT+CGMR', '|Revision:1418B05SIM800L24||OK|'],
      ['AT+SPIC', '|+SPIC: 3,10,3,10||OK|'],
      ['AT+CCID', '|8900101000000079203f||OK|'],
      ['AT+CPIN="1234"', '|OK|'],
      ['AT+CREG=2', '|OK|'],
      ['AT+CREG?', '|+CREG: 2,1,"0001","2C3D"||OK|'],
      ['AT+CGREG=2;+CGREG?', '|+CGREG: 2,1,"0001","2C3D"||OK|'],
      ['AT+CPSI?', '|ERROR|'],
      ['AT+CESQ', '|ERROR|'],
      ['AT+EXUNSOL="SQ",1', '|OK|'],
      ['AT+COPS?', '|+COPS: 0,0,"Virtual Mobile",0||OK|'],
      ['AT+CPOWD=1', '|NORMAL POWER DOWN|'],
      ['ATD*99#', '|CONNECT|'],
    ],
  },
  {
    about: 'the MC7304: the status page, and a reset behind a password',
    personality: 'sierra-mc7304',
    sim: { pin: '1234' },
    lines: [
      ['ATE0', '|OK|'],
      ['AT+CGMR', '|SWI9X15C_05.05.58.00 r27038 carmd-fwbuild1 2015/03/04 21:30:23||OK|'],
      ['AT+CPINC?', '|+CPINC: 3, 3, 10, 10||OK|'],
      ['AT!ICCID?', '|!ICCID: 8900101000000079203||OK|'],
      ['AT*CNTI=0', '|*CNTI: 0,NONE||OK|'],
      ['AT+CPIN="1234"', '|OK|'],
      ['AT*CNTI=0', '|*CNTI: 0,LTE||OK|'],
      [
        'AT!GSTATUS?',
        '|!GSTATUS: |Current Time:  1        \tTemperature: 36|Bootup Time:   5        \tMode:        ONLINE|System mode:   LTE      \tPS state:    Attached|LTE band:      B3       \tLTE bw:      20 MHz|LTE Rx chan:   1300     \tLTE Tx chan: 19300|EMM state:     Registered\tNormal Service|RRC state:     RRC Idle|IMS reg state: No Srv|RSSI (dBm):    -71      \tTx Power:    0|RSRP (dBm):    -91      \tTAC:         0001 (1)|RSRQ (dB):     -10.5    \tCell ID:     0A1B2C3D (169552957)|SINR (dB):     15.0||OK|',
      ],
      ['AT!RESET', '|ERROR|'],
      ['AT!ENTERCND="A710"', '|OK|'],
      ['AT!RESET', '|OK|'],
      ['ATD*99#', '|CONNECT 100000000|'],
    ],
  },
  {
    about: 'the LE910: AT#…',
    personality: 'telit-le910',
    sim: { pin: '1234' },
    lines: [
      ['ATE0', '|OK|'],
      ['AT#PCT', '|#PCT: 3||OK|'],
      ['AT#CCID', '|#CCID: 8900101000000079203||OK|'],
      ['AT#RFSTS', '|ERROR|'],
      ['AT#PSNT?', '|#PSNT: 0,5||OK|'],
      ['AT+CPIN="1234"', '|OK|'],
      [
        'AT#RFSTS',
        '|#RFSTS: "001 01",1650,-91,-71,-10,0001,255,,128,3,0,A1B2C3D,"001010000007920","Virtual Mobile",3,3||OK|',
      ],
      ['AT#PSNT?', '|#PSNT: 0,4||OK|'],
      ['AT#QSS?', '|#QSS: 2,3||OK|'],
      ['AT#QSS=2', '|OK|'],
      ['AT#CGMM', '|#CGMM: LE910C1-EU||OK|'],
      ['AT+CGDCONT?', '|+CGDCONT: 1,"IPV4V6","","",0,0|+CGDCONT: 2,"IPV4V6","ims","",0,0||OK|'],
      ['ATD*99***3#', '|CONNECT|'],
    ],
  },
  {
    about: 'the SARA-U270: tries, packet network, indicators',
    personality: 'ublox-sara',
    sim: { pin: '1234' },
    lines: [
      ['ATE0', '|OK|'],
      ['ATI', '|SARA-U270-00S-01||OK|'],
      ['AT+UPINCNT', '|+UPINCNT: 3,3,10,10||OK|'],
      ['AT+CCID', '|+CCID: 8900101000000079203||OK|'],
      ['AT+UREG?', '|+UREG: 1,0||OK|'],
      ['AT+CPIN="1234"', '|OK|'],
      ['AT+UREG?', '|+UREG: 1,6||OK|'],
      ['AT+CIND?', '|+CIND: 5,4,1,0,2||OK|'],
      ['AT+CESQ', '|+CESQ: 99,99,44,37,255,255||OK|'],
      ['AT+CREG=2;+CREG?', '|+CREG: 2,1,"0001","0A1B2C3D",6||OK|'],
      ['AT+CFUN=16', '|OK|'],
      ['ATD*99#', '|CONNECT|'],
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

/** Milliseconds after power-on, and the line; on the port that has the reports. */
const STARTS: readonly (readonly [string, readonly (readonly [number, string])[]])[] = [
  [
    'quectel-ec25',
    [
      [600, 'RDY'],
      [750, '+CFUN: 1'],
      [1500, '+CPIN: READY'],
      [1550, '+QUSIM: 1'],
      [2900, '+QIND: SMS DONE'],
      [3600, '+QIND: PB DONE'],
    ],
  ],
  [
    'simcom-sim800',
    [
      [2500, 'RDY'],
      [2800, '+CFUN: 1'],
      [4000, '+CPIN: READY'],
      [6500, 'Call Ready'],
      [6800, 'SMS Ready'],
      [9200, '*PSUTTZ: 2024,3,1,12,0,0,"+4",0'],
    ],
  ],
  [
    'zte-mf190',
    [
      [2200, '+ZUSIMR:1'],
      [3200, '+ZUSIMR:2'],
      [5000, '+ZDONR: "Virtual Mobile",001,01,"CS_PS","ROAM_OFF"'],
      [5000, '+ZPASR: "HSDPA"'],
      [5200, '+ZUSIMR:2'],
    ],
  ],
  [
    'telit-le910',
    [
      [2000, '#QSS: 2'],
      [3200, '#QSS: 3'],
    ],
  ],
  [
    'ublox-sara',
    [
      [2300, '+UUSIMSTAT: 6'],
      [3900, '+UREG: 6'],
      [4400, '+PBREADY'],
    ],
  ],
  ['sierra-mc7304', []],
]

for (const [name, expected] of STARTS)
  test(`what ${name} says by itself at its start`, () => {
    const { timings } = loadPersonality(name, () => '')
    const bench = new ModemBench({ personality: name, timings: { ...timings, replyMs: () => 0 } })
    const port = reportPort(bench)
    const said: (readonly [number, string])[] = []
    const startMs = bench.nowMs
    while (bench.nowMs - startMs < 6000 || (expected.at(-1)?.[0] ?? 0) > bench.nowMs - startMs) {
      bench.pass(50)
      for (const line of bench.heard(port).split(/[\r\n]+/)) if (line !== '') said.push([bench.nowMs - startMs, line])
    }
    assert.deepEqual(said, expected)
  })

test('the SIM is busy at first, then it is known', () => {
  for (const name of ['zte-mf190', 'quectel-ec25', 'simcom-sim800', 'sierra-mc7304', 'telit-le910', 'ublox-sara']) {
    const { bootMs, simBusyMs } = loadPersonality(name, () => '').timings
    assert.ok(simBusyMs > 0, name)
    const bench = new ModemBench({ personality: name, timings: { bootMs, simBusyMs } })
    assert.equal(bench.say('AT'), '', `${name}: still booting`)
    bench.pass(bootMs)
    bench.say('ATE0+CMEE=1')
    assert.equal(bench.say('AT+CPIN?'), '\r\n+CME ERROR: 14\r\n', name)
    bench.pass(simBusyMs)
    bench.heard()
    assert.equal(bench.say('AT+CPIN?'), '\r\n+CPIN: READY\r\n\r\nOK\r\n', name)
  }
})

test('signal reports come only where they were asked for, and as asked', () => {
  for (const [name, command, line] of [
    ['quectel-ec25', 'AT+QINDCFG="csq",1', '+QIND: "csq",11,99'],
    ['simcom-sim800', 'AT+EXUNSOL="SQ",1', '+CSQN: 11,0'],
    ['ublox-sara', 'AT+CMER=1,0,0,2,1', '+CIEV: 2,2'],
  ] as const) {
    const bench = new ModemBench({ personality: name })
    const port = reportPort(bench)
    bench.say('ATE0', port)
    const change = (dbm: number) => {
      bench.network.signal = dbm
      bench.modem.state.signalChanged(bench.nowMs)
      bench.pass(0)
      return bench.say('AT', port)
    }
    assert.ok(!change(-71).includes(line.slice(0, 6)), `${name}: nobody asked`)
    assert.equal(bench.say(command, port), '\r\nOK\r\n')
    assert.ok(change(-91).includes(`\r\n${line}\r\n`), name)
  }
})

test('a command that restarts the modem says so, with the words of its maker', () => {
  const quectel = new ModemBench({ personality: 'quectel-ec25' })
  quectel.say('ATE0')
  assert.equal(quectel.say('AT+QPOWD=1'), '\r\nOK\r\n\r\nPOWERED DOWN\r\n')
  assert.deepEqual(quectel.events.at(-1), { type: 'reboot' })
  const ublox = new ModemBench({ personality: 'ublox-sara' })
  ublox.say('AT+CFUN=16')
  assert.deepEqual(ublox.events.at(-1), { type: 'reboot' })
})

function reportPort(bench: ModemBench) {
  return bench.port(bench.personality.usb?.interfaces.find(({ port }) => port === 'at')?.number)
}
