import type { FastifyReply, FastifyRequest } from 'fastify'
import { readSnapshot, type SnapshotQuery } from '../core/catalog/query/snapshot.ts'
import { CatchmentError } from '../core/sdk/index.ts'
import type { Context } from './context.ts'
import { answer } from './problem.ts'
import { writer } from './stream.ts'

/** Each holds a connection, and old rows in the database, for as long as its reader takes. */
const most = 4

let open = 0

/** Writes the catalog of one moment as lines of JSON. What goes wrong after the first line is a line of type `problem`. */
export async function streamSnapshot(
  context: Pick<Context, 'db' | 'feed' | 'log'>,
  request: FastifyRequest,
  reply: FastifyReply,
  query: SnapshotQuery,
): Promise<void> {
  if (open >= most) {
    throw new CatchmentError('Too many snapshots are being read.', {
      code: 'streams_exhausted',
      status: 503,
      hint: 'Try again when one of them is done.',
      details: { retryAfterSeconds: 30 },
    })
  }
  const { signal, write } = writer(reply, context.feed.ending)
  const line = (value: unknown): Promise<void> => write(`${JSON.stringify(value)}\n`)
  let begun = false
  open += 1
  try {
    await readSnapshot(context.db, query, async (part) => {
      signal.throwIfAborted()
      if (!begun) {
        begun = true
        reply.hijack()
        reply.raw.writeHead(200, {
          'content-type': 'application/x-ndjson; charset=utf-8',
          'cache-control': 'no-store',
          'x-accel-buffering': 'no',
          'x-request-id': request.id,
        })
      }
      await line(part)
    })
  } catch (error) {
    if (!begun) throw error
    if (!signal.aborted) {
      const { problem, unexpected } = answer(error, request)
      if (unexpected) context.log.error({ error, requestId: request.id }, 'A snapshot broke')
      reply.raw.write(`${JSON.stringify({ ...problem, type: 'problem' })}\n`)
    }
  } finally {
    open -= 1
    if (begun) {
      reply.raw.end()
      if (signal.aborted) reply.raw.destroy()
    }
  }
}
