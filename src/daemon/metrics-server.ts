/** The metrics over HTTP, for loopback only. Values are read when somebody asks; in between nothing runs. Loaded by `metrics.ts`. */

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { errorText } from '../base/errors.ts'
import type { SupervisorApi } from '../link/snapshot.ts'
import { MetricsRegistry } from './metrics-registry.ts'

const LOOPBACK = '127.0.0.1'
/** A connection asks once; a scrape every 15 s has one of its own. */
const CONNECTION_LIMIT_MS = 10_000
/** Node's own check of slow clients would wake an idle daemon all the time. */
const NEVER_MS = 0x7fffffff
const MOST_CONNECTIONS = 16

export interface MetricsServer {
  readonly address: string
  close(): Promise<void>
}

/** Rejects where the port cannot be had. */
export async function startMetricsServer(supervisor: SupervisorApi, port: number): Promise<MetricsServer> {
  const registry = new MetricsRegistry(supervisor)
  const server = createServer({ connectionsCheckingInterval: NEVER_MS })
  server.on('connection', endInTime)
  server.on('request', (request, response) => answer(request, response, registry))
  server.maxConnections = MOST_CONNECTIONS
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(port, LOOPBACK, resolve)
    })
  } catch (error) {
    registry.close()
    throw error
  }
  return {
    address: `http://${LOOPBACK}:${(server.address() as AddressInfo).port}/metrics`,
    close: () =>
      new Promise((resolve) => {
        registry.close()
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

/** Nobody can hold the few connections for long. */
function endInTime(socket: Socket): void {
  const timer = setTimeout(() => socket.destroy(), CONNECTION_LIMIT_MS)
  socket.once('close', () => clearTimeout(timer))
}

async function answer(request: IncomingMessage, response: ServerResponse, registry: MetricsRegistry): Promise<void> {
  // A page in a browser may reach us under a name of its own that leads to 127.0.0.1 (DNS rebinding).
  if (!isLoopbackHost(request.headers.host)) return end(response, 403, 'Only under a loopback name.\n')
  if (request.method !== 'GET' && request.method !== 'HEAD')
    return end(response, 405, 'Only GET.\n', { allow: 'GET, HEAD' })
  if (request.url?.split('?')[0] !== '/metrics') return end(response, 404, 'There is only /metrics.\n')
  try {
    end(response, 200, await registry.read(), { 'content-type': registry.contentType })
  } catch (error) {
    end(response, 500, `${errorText(error)}\n`)
  }
}

const LOOPBACK_HOST = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d{1,5})?$/i

/** A Host header (RFC 9110 §7.2). */
export function isLoopbackHost(host: string | undefined): boolean {
  return host !== undefined && LOOPBACK_HOST.test(host)
}

function end(response: ServerResponse, status: number, body: string, headers: Readonly<Record<string, string>> = {}) {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8', ...headers })
  response.end(body)
}
