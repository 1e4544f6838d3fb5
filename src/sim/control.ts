/**
 * The control socket: one JSON object a line in, one out, in order. `{"command":"signal","args":["-90"],"modem":0}` gets
 * `{"ok":true,…}` or `{"ok":false,"error":"…"}`. Server for `command.ts`, client for `modem-sim ctl`.
 */

import { existsSync, unlinkSync } from 'node:fs'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { dirname } from 'node:path'
import { ReadlineParser } from '@serialport/parser-readline'
import { errorText, ModemdError } from '../base/errors.ts'
import type { ControlAnswer } from './modem-control.ts'
import type { Simulator } from './simulator.ts'

const MAX_LINE_BYTES = 65_536
const ANSWER_TIMEOUT_MS = 10_000
const REQUEST_FORM = 'a request is a line like {"command":"signal","args":["-90"]}'

export interface ControlRequest {
  readonly command: string
  readonly args: readonly string[]
  readonly modem?: number | undefined
}

export interface ControlServer {
  close(): Promise<void>
}

/** Only for the user who runs it. A socket that nobody answers is replaced. Rejects with ModemdError. */
export async function listenControl(path: string, simulator: Simulator): Promise<ControlServer> {
  // Node makes "permission denied" of it.
  if (!existsSync(dirname(path)))
    throw new ModemdError(
      'InvalidArgs',
      `--control ${path}: there is no folder ${dirname(path)}: make it, or take another`,
    )
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    serve(socket, simulator)
  })
  const umask = process.umask(0o177)
  try {
    await listen(server, path)
  } finally {
    process.umask(umask)
  }
  simulator.files.adopt(path)
  return {
    close: async () => {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

async function listen(server: Server, path: string): Promise<void> {
  const attempt = () =>
    new Promise<NodeJS.ErrnoException | undefined>((resolve) => {
      server.once('error', resolve)
      server.listen(path, () => {
        server.off('error', resolve)
        resolve(undefined)
      })
    })
  let error = await attempt()
  if (error?.code === 'EADDRINUSE' && (await isStale(path))) {
    unlinkSync(path)
    error = await attempt()
  }
  if (error?.code === 'EADDRINUSE')
    throw new ModemdError('Busy', `another modem-sim listens on ${path}: end it, or take another --control`)
  if (error) throw new ModemdError('Internal', `cannot listen on ${path}: ${errorText(error)}`)
}

function isStale(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path)
    socket.on('connect', () => {
      socket.destroy()
      resolve(false)
    })
    socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code === 'ECONNREFUSED'))
  })
}

function serve(socket: Socket, simulator: Simulator): void {
  let unfinishedBytes = 0
  socket.on('error', () => socket.destroy())
  socket.on('data', (bytes: Buffer) => {
    const lastEnd = bytes.lastIndexOf(10)
    unfinishedBytes = lastEnd < 0 ? unfinishedBytes + bytes.length : bytes.length - lastEnd - 1
    if (unfinishedBytes > MAX_LINE_BYTES) socket.destroy()
  })
  socket.pipe(new ReadlineParser({ delimiter: '\n' })).on('data', (line: string) => {
    if (line.trim() !== '') socket.write(`${JSON.stringify(answerTo(line, simulator))}\n`)
  })
}

function answerTo(line: string, simulator: Simulator): ControlAnswer {
  try {
    const { command, args, modem } = readRequest(line)
    return { ok: true, ...simulator.control(command, args, modem) }
  } catch (error) {
    return { ok: false, error: errorText(error) }
  }
}

function readRequest(line: string): ControlRequest {
  const value = parseJson(line)
  const { command, args = [], modem } = (value ?? {}) as Readonly<Record<string, unknown>>
  const isText = (each: unknown) => typeof each === 'string'
  if (typeof command !== 'string' || !Array.isArray(args) || !args.every(isText))
    throw new ModemdError('InvalidArgs', REQUEST_FORM)
  if (modem !== undefined && !Number.isInteger(modem)) throw new ModemdError('InvalidArgs', '"modem" is a whole number')
  return { command, args, modem: modem as number | undefined }
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    throw new ModemdError('InvalidArgs', `this is no JSON: ${REQUEST_FORM}`)
  }
}

/** The answer's line. Rejects with ModemdError where nobody answers. */
export function askControl(path: string, request: ControlRequest): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(path)
    const fail = (why: string) => {
      socket.destroy()
      reject(new ModemdError('NotFound', `no modem-sim answers on ${path} (${why}): start one with --control ${path}`))
    }
    socket.setTimeout(ANSWER_TIMEOUT_MS, () => fail('time-out'))
    socket.on('error', (error) => fail(error.message))
    socket.on('close', () => fail('it closed the connection'))
    socket.pipe(new ReadlineParser({ delimiter: '\n' })).once('data', (line: string) => {
      resolve(line)
      socket.destroy()
    })
    socket.write(`${JSON.stringify(request)}\n`)
  })
}
