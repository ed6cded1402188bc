import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'

const int16 = (value: number): Buffer => Buffer.from([value >> 8, value & 255])
const int32 = (value: number): Buffer =>
  Buffer.from([(value >> 24) & 255, (value >> 16) & 255, (value >> 8) & 255, value & 255])
const text = (value: string): Buffer => Buffer.from(`${value}\0`)
const message = (type: string, ...parts: readonly Buffer[]): Buffer => {
  const body = Buffer.concat(parts)
  return Buffer.concat([Buffer.from(type), int32(body.length + 4), body])
}

/** Name, type of PostgreSQL, and value of what the greeting asks for. */
const facts = [
  ['pid', 23, '1'],
  ['version', 23, '140005'],
  ['name', 25, '14.5'],
  ['encoding', 25, 'UTF8'],
  ['standby', 16, 'f'],
  ['database', 25, 'x'],
] as const

const ready = message('Z', Buffer.from('I'))
const answer = Buffer.concat([
  message(
    'T',
    int16(facts.length),
    ...facts.flatMap(([name, type]) => [text(name), int32(0), int16(0), int32(type), int16(-1), int32(-1), int16(0)]),
  ),
  message('D', int16(facts.length), ...facts.flatMap(([, , value]) => [int32(value.length), Buffer.from(value)])),
  message('C', text('SELECT 1')),
  ready,
])

/** As much of a PostgreSQL 14 as is needed to be refused: it lets everybody in and says how old it is. */
export async function oldPostgres(): Promise<{ readonly port: number; close(): Promise<void> }> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    let isIn = false
    socket.on('data', () => {
      // The client waits for each answer, so that a chunk is a message: the startup first, queries then.
      socket.write(isIn ? answer : Buffer.concat([message('R', int32(0)), ready]))
      isIn = true
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    close: async () => {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}
