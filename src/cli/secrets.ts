/** PINs and passwords: from a file or from the terminal without echo, never from an argument (DESIGN §7.2). */

import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs'
import { errorText } from '../base/errors.ts'
import { pinFault } from '../base/values.ts'
import { CliError } from './errors.ts'
import type { Io } from './io.ts'

const LONGEST_SECRET_BYTES = 4096

/** The first line of `file`; `-` is stdin. A file that others can read gets a warning with the chmod to run. */
export function readSecretFile(file: string, what: string, warn: (message: string) => void): string {
  const text = readAll(file, what, warn)
  const secret = text.split('\n', 1)[0]!.replace(/\r$/, '')
  if (secret === '') throw CliError.usage(`${file} is empty: its first line must be the ${what}`)
  return secret
}

function readAll(file: string, what: string, warn: (message: string) => void): string {
  let fd: number | undefined
  try {
    const isStdin = file === '-'
    fd = isStdin ? 0 : openSync(file, 'r')
    const status = fstatSync(fd)
    if (status.isFile() && status.size > LONGEST_SECRET_BYTES)
      throw CliError.usage(`${file} is too large for a ${what}: its first line must be the ${what}`)
    if (!isStdin && status.isFile() && (status.mode & 0o044) !== 0)
      warn(`others can read the ${what} in ${file}: run \`chmod 600 ${file}\``)
    return readFileSync(fd, 'utf8')
  } catch (error) {
    if (error instanceof CliError) throw error
    throw CliError.usage(`${fileFault(file, error)}: give a file whose first line is the ${what}`)
  } finally {
    if (fd !== undefined && fd !== 0) closeSync(fd)
  }
}

function fileFault(file: string, error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code
  if (code === 'ENOENT' || code === 'ENOTDIR') return `there is no file ${file}`
  if (code === 'EACCES' || code === 'EPERM') return `you may not read ${file}`
  if (code === 'EISDIR') return `${file} is a folder`
  return `${file} cannot be read (${errorText(error)})`
}

/** Asks on stderr, reads a line from the terminal and shows nothing of it. */
export async function askSecret(io: Io, question: string, fileOption: string): Promise<string> {
  const { stdin, stderr } = io
  if (stdin.isTTY !== true || !stdin.setRawMode)
    throw CliError.usage(`there is no terminal to ask on: use ${fileOption} FILE (- for standard input)`)
  stderr.write(`${question}: `)
  stdin.setRawMode(true)
  stdin.resume()
  try {
    return await new Promise<string>((resolve, reject) => {
      let typed = ''
      const onData = (bytes: Buffer) => {
        for (const char of bytes.toString('utf8')) {
          if (char === '\x03') return end(() => reject(CliError.interrupted('interrupted: nothing was done')))
          if (char === '\r' || char === '\n' || char === '\x04') return end(() => resolve(typed))
          if (char === '\x7f' || char === '\b') typed = [...typed].slice(0, -1).join('')
          else if (char === '\x15') typed = ''
          else if (char >= ' ') typed += char
        }
      }
      const end = (settle: () => void) => {
        stdin.off('data', onData)
        settle()
      }
      stdin.on('data', onData)
    })
  } finally {
    stdin.setRawMode(false)
    stdin.pause()
    stderr.write('\n')
  }
}

export function checkPin(pin: string): string {
  if (pinFault(pin)) throw CliError.usage('a PIN is 4 to 8 digits: nothing was sent to the SIM')
  return pin
}

export function checkPuk(puk: string): string {
  if (!/^\d{8}$/.test(puk)) throw CliError.usage('a PUK is 8 digits: nothing was sent to the SIM')
  return puk
}

/** Asks twice: nobody sees what was typed. `check` throws where it cannot be one. */
export async function askNewSecret(
  io: Io,
  what: string,
  fileOption: string,
  check: (secret: string) => string,
): Promise<string> {
  const secret = check(await askSecret(io, what, fileOption))
  if ((await askSecret(io, `${what} again`, fileOption)) === secret) return secret
  throw CliError.usage('they are not the same: nothing was sent to the SIM')
}
