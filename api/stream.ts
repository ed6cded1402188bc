import { once } from 'node:events'
import type { FastifyReply, FastifyRequest } from 'fastify'
import {
  type ChangeFilter,
  type ChangeView,
  formatPosition,
  type Position,
  readChanges,
} from '../core/catalog/query/changes.ts'
import { CatchmentError } from '../core/sdk/index.ts'
import type { Context } from './context.ts'
import { answer } from './problem.ts'

/** A reader that takes nothing for so long is let go; it comes back with the last id it has. */
const patience = 60_000
const mostStreams = 500
const batch = 200

let open = 0

/**
 * Writes the feed as server-sent events until the reader leaves or the server stops. At most one page is in memory, and no
 * line is written while the socket has not taken the one before: a slow reader slows only itself (I11).
 */
export async function streamChanges(
  context: Pick<Context, 'db' | 'feed' | 'log' | 'heartbeat'>,
  request: FastifyRequest,
  reply: FastifyReply,
  from: Position,
  filter: ChangeFilter,
): Promise<void> {
  if (open >= mostStreams) {
    throw new CatchmentError('Too many readers follow the feed.', {
      code: 'streams_exhausted',
      status: 503,
      hint: 'Close some, or read pages with Accept: application/json.',
      details: { retryAfterSeconds: 30 },
    })
  }
  await context.feed.open()
  reply.hijack()
  const { raw } = reply
  const { signal, write } = writer(reply, context.feed.ending)
  raw.writeHead(200, {
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store',
    'x-accel-buffering': 'no',
    'x-request-id': request.id,
  })
  open += 1
  try {
    await follow(context, from, filter, signal, write)
  } catch (error) {
    if (!signal.aborted && !isTimeout(error)) {
      const { problem, unexpected } = answer(error, request)
      if (unexpected) context.log.error({ error, requestId: request.id }, 'The change stream broke')
      raw.write(`event: problem\ndata: ${JSON.stringify(problem)}\n\n`)
    }
  } finally {
    open -= 1
    raw.end()
    // A reader that takes nothing would keep what is buffered for ever.
    if (raw.writableLength > 0) raw.destroy()
  }
}

/** `write` resolves once the socket takes more; `signal` aborts when the reader leaves, or with `ending`. */
export function writer(
  { raw }: FastifyReply,
  ending: AbortSignal,
): { readonly signal: AbortSignal; readonly write: (text: string) => Promise<void> } {
  const gone = new AbortController()
  raw.once('close', () => gone.abort())
  const signal = AbortSignal.any([gone.signal, ending])
  return {
    signal,
    write: async (text) => {
      if (raw.write(text)) return
      await once(raw, 'drain', { signal: AbortSignal.any([signal, AbortSignal.timeout(patience)]) })
    },
  }
}

async function follow(
  { db, feed, heartbeat }: Pick<Context, 'db' | 'feed' | 'heartbeat'>,
  from: Position,
  filter: ChangeFilter,
  signal: AbortSignal,
  write: (text: string) => Promise<void>,
): Promise<void> {
  // An id without data moves the reader's Last-Event-ID and raises no event.
  await write(`retry: 2000\nid: ${formatPosition(from)}\n\n`)
  let position = from
  while (!signal.aborted) {
    const { version } = feed
    const read = await readChanges(db, position, filter, batch)
    for (const change of read.items) {
      if (signal.aborted) return
      await write(event(change))
    }
    const moved = read.position.seq !== position.seq
    position = read.position
    if (read.more) continue
    if (moved && read.items.length === 0) await write(`id: ${formatPosition(position)}\n\n`)
    if (!(await feed.grown(version, heartbeat, signal)) && !signal.aborted) await write(': heartbeat\n\n')
  }
}

function event(change: ChangeView): string {
  return `id: ${change.position}\ndata: ${JSON.stringify(change)}\n\n`
}

function isTimeout(error: unknown): boolean {
  return error instanceof Error && (error.name === 'AbortError' || error.name === 'TimeoutError')
}
