import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { createHttp, type Http, type HttpOptions } from './index.ts'
import { certificate, key } from './tls.fixture.ts'

export type Handler = (request: IncomingMessage, response: ServerResponse) => void

export interface Local {
  readonly url: string
  readonly port: number
  readonly requests: readonly {
    readonly method: string
    readonly url: string
    readonly headers: IncomingMessage['headers']
  }[]
  close(): Promise<void>
}

/** A real server on a free port. Cleanup is the caller's `close`. */
export async function serve(handler: Handler, options: { readonly tls?: boolean } = {}): Promise<Local> {
  const requests: { method: string; url: string; headers: IncomingMessage['headers'] }[] = []
  const listener: Handler = (incoming, response) => {
    requests.push({ method: incoming.method ?? '', url: incoming.url ?? '', headers: incoming.headers })
    handler(incoming, response)
  }
  const server = options.tls === true ? createTlsServer({ cert: certificate, key }, listener) : createServer(listener)
  const port = await listen(server)
  const close = () => closeServer(server)
  return { url: `${options.tls === true ? 'https' : 'http'}://localhost:${port}`, port, requests, close }
}

/** A proxy that knows CONNECT only, and counts the tunnels. */
export async function connectProxy(): Promise<Local & { readonly tunnels: readonly string[] }> {
  const tunnels: string[] = []
  const sockets = new Set<Socket>()
  const server = createServer((_, response) => response.writeHead(405).end())
  server.on('connect', (incoming, client, head) => {
    tunnels.push(incoming.url ?? '')
    const [host = '', port = ''] = (incoming.url ?? '').split(':')
    const target = connect(Number(port), host, () => {
      client.write('HTTP/1.1 200 Connection established\r\n\r\n')
      target.write(head)
      target.pipe(client)
      client.pipe(target)
    })
    sockets.add(target)
    sockets.add(client as Socket) // a tunnel over TCP is a Socket; the type allows any stream
    target.on('error', () => client.destroy())
    client.on('error', () => target.destroy())
  })
  const port = await listen(server)
  const close = async () => {
    for (const socket of sockets) socket.destroy()
    await closeServer(server)
  }
  return { url: `http://localhost:${port}`, port, requests: [], tunnels, close }
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve))
  // A TCP server has an address of this form; only pipes have a string.
  return (server.address() as AddressInfo).port
}

async function closeServer(server: Server): Promise<void> {
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
}

/** A port that nothing listens on. */
export async function closedPort(): Promise<number> {
  const server = createServer()
  const port = await listen(server)
  await closeServer(server)
  return port
}

/** A clock that stands still until it is told, whose sleeps return at once and are remembered. */
export class TestClock {
  time = Date.UTC(2026, 0, 1)
  readonly sleeps: number[] = []
  now = (): number => this.time
  sleep = async (milliseconds: number): Promise<void> => {
    this.sleeps.push(milliseconds)
    this.time += milliseconds
  }
}

export interface TestHttp extends Http {
  readonly clock: TestClock
  /** Everything that was logged, as one text. */
  logged(): string
}

export function testHttp(options: Partial<HttpOptions> = {}): TestHttp {
  const clock = new TestClock()
  const lines: unknown[] = []
  const http = createHttp({
    credential: 'test',
    clock,
    random: () => 0.5,
    log: (...line) => lines.push(line),
    ...options,
  })
  return { ...http, clock, logged: () => JSON.stringify(lines) }
}
