/**
 * A scripted modem on a pty of its own, with Debian's pppd as its operator; a process beside the test, which must not
 * stop answering while the test waits for a program. Prints `path /dev/pts/N`, then `call` for each; SIGUSR1: pppd hangs up.
 *
 *   pppd-modem.ts AUTH SECRET
 */

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { fromLatin1, latin1 } from '../../src/base/bytes.ts'
import { openPty, type Pty } from '../../src/system/pty.ts'

const SERVER = '10.70.0.1'
const CLIENT = '10.70.0.2'

/** What the modem answers before OK; another command is an ERROR, as on a real modem that lacks it. */
const ANSWERS: Readonly<Record<string, string>> = {
  AT: '',
  ATE0: '',
  'AT+CMEE=1': '',
  'AT+CGMI': 'Test',
  'AT+CGMM': 'UART modem',
  'AT+CGMR': '1',
  'AT+CGSN': '490154203237518',
  'AT+CFUN?': '+CFUN: 1',
  'AT+CPIN?': '+CPIN: READY',
  'AT+CREG=2': '',
  'AT+CREG?': '+CREG: 2,1,"0001","00000001",2',
  'AT+COPS?': '+COPS: 0,2,"00101",2',
  'AT+CSQ': '+CSQ: 20,99',
}

const SHIM = fileURLToPath(new URL('../interop/pppd-shim/pppd-shim', import.meta.url))
const directory = mkdtempSync(join(tmpdir(), 'modemd-pppd-'))
const [auth = 'none', secret = ''] = process.argv.slice(2)
const line = openPty()
let typed = ''
let call: { readonly pppd: ChildProcess; readonly pty: Pty } | undefined

line.onData(take)
process.on('SIGUSR1', () => call?.pppd.kill('SIGTERM'))
process.on('SIGTERM', () => {
  call?.pppd.kill('SIGKILL')
  rmSync(directory, { recursive: true })
  process.exit(0)
})
console.log(`path ${line.slavePath}`)

function take(bytes: Uint8Array): void {
  if (call) {
    call.pty.write(bytes)
    return
  }
  const lines = (typed + fromLatin1(bytes)).split('\r')
  typed = lines.pop()!
  for (const command of lines) answer(command.trim())
}

function answer(command: string): void {
  if (/^ATD/.test(command)) {
    dial()
    return
  }
  const text = /^AT\+CGDCONT=/.test(command) ? '' : ANSWERS[command]
  say(text === undefined ? 'ERROR' : text === '' ? 'OK' : `${text}\r\n\r\nOK`)
}

function say(text: string): void {
  line.write(latin1(`\r\n${text}\r\n`))
}

/** The line is bridged to a pppd on a second pty, until that ends. */
function dial(): void {
  console.log('call')
  const pty = openPty()
  pty.onData((bytes) => line.write(bytes))
  const addresses = [SERVER, CLIENT, '10.70.0.53', '10.70.0.54', '0', '0', 'lcp-restart', '1']
  const args = ['-n', SHIM, 'server', pty.slavePath, auth, 'alice', secret, ...addresses]
  const env = { ...process.env, FAKEPPP_SO: join(directory, 'fakeppp.so') }
  const pppd = spawn('unshare', args, { env, stdio: ['ignore', 'inherit', 'inherit'] })
  call = { pppd, pty }
  say('CONNECT 115200')
  once(pppd, 'close').then(() => {
    pty.close()
    call = undefined
    say('NO CARRIER')
  })
}
