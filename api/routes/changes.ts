import type { FastifyReply } from 'fastify'
import { z } from 'zod'
import {
  type ChangeFilter,
  formatPosition,
  type Position,
  readChanges,
  resolvePosition,
} from '../../core/catalog/query/changes.ts'
import { operations } from '../../core/catalog/query/versions.ts'
import type { Api, Context } from '../context.ts'
import { defined } from '../defined.ts'
import { streamSnapshot } from '../snapshot.ts'
import { streamChanges, writer } from '../stream.ts'
import { asOf } from './moments.ts'
import { array, json, limit, mappingProblem, object, problems, reference, text, time } from './schemas.ts'

export const change = z
  .object({
    position: z.string().describe('Pass as `after` to go on behind it.'),
    operation: z.enum(operations).describe('restored: its deletion was undone.'),
    id: z.string().describe('Of the entity: stays when its name changes.'),
    reference,
    blueprint: z.string(),
    identifier: z.string(),
    revision: z.int(),
    patch: object.nullable().describe('Field -> [before, after]; null when created, and where nothing of it changed.'),
    entity: z
      .object({
        stub: z.literal(true).optional().describe('Only relations lead to it.'),
        title: z.string().nullable(),
        team: array(z.string()),
        properties: object,
        relations: object,
        failed: array(mappingProblem),
      })
      .optional()
      .describe('What it said from then on, when created or restored. Relations as they are said: identifiers.'),
    cause: json.describe('What made it happen: a scan, a delivery, a get, a remap, a person.'),
    at: time,
  })
  .meta({ id: 'Change' })

/** `a,b` or several times; without empty ones. */
const words = z
  .union([z.string(), z.array(z.string())])
  .transform((value) =>
    (typeof value === 'string' ? [value] : value).flatMap((each) => each.split(',')).filter(Boolean),
  )
  .optional()

const changePage = z.object({
  items: array(change),
  next: z.string().optional().describe('Pass as `after`; present while there is more, and always with `wait`.'),
  position: z.string().describe('Pass as `after` to ask again later, also when there is no more now.'),
})

const longest = 60

export function changeRoutes(app: Api, context: Context): void {
  app.get(
    '/changes',
    {
      schema: {
        tags: ['catalog'],
        summary: 'The ordered log of what happened to entities',
        description:
          'As text/event-stream (the default) it stays open and goes on where Last-Event-ID or `after` says, also across ' +
          'a restart. With Accept: application/json, or with `wait`, it is one page. 410 feed_expired or feed_replaced: ' +
          'read the catalog again, see /snapshot.',
        querystring: z.strictObject({
          after: text
            .optional()
            .describe('A position, `start` or `now`. Default: `now` for a stream, `start` for a page.'),
          blueprint: words.describe('Only these; several, also with commas between.'),
          operation: words
            .pipe(z.array(z.enum(operations)).optional())
            .describe(`Only these: ${operations.join(' ')}; several, also with commas between.`),
          wait: z.coerce
            .number()
            .min(0)
            .max(longest)
            .optional()
            .describe(
              'Long poll: a page as soon as there is something to answer, or an empty one after so many seconds.',
            ),
          limit,
        }),
        response: {
          200: {
            description: 'A page, or a stream of the same items as events.',
            content: {
              'application/json': { schema: changePage },
              'text/event-stream': { schema: z.string() },
            },
          },
          ...problems,
        },
      },
    },
    async (request, reply) => {
      const { after, blueprint, operation, wait, limit: most } = request.query
      const filter = {
        ...(blueprint === undefined ? {} : { blueprints: blueprint }),
        ...(operation === undefined ? {} : { operations: operation }),
      }
      if (wait !== undefined || wantsPage(request.headers.accept)) {
        const from = await resolvePosition(context.db, after ?? 'start')
        const { items, position, more } = await poll(context, reply, from, filter, most, (wait ?? 0) * 1000)
        const reached = formatPosition(position)
        // Whoever waits goes on from wherever he is.
        const next = more || wait !== undefined ? { next: reached } : {}
        return reply.type('application/json').send({ items, position: reached, ...next })
      }
      const last = request.headers['last-event-id']
      const from = await resolvePosition(context.db, (typeof last === 'string' ? last : undefined) ?? after ?? 'now')
      await streamChanges(context, request, reply, from, filter)
      return reply
    },
  )

  app.get(
    '/snapshot',
    {
      schema: {
        tags: ['catalog'],
        summary: 'Every entity at one moment, and where the feed goes on from it',
        description:
          'Lines of JSON: first `{"type":"snapshot","position","at"}`, then one `{"type":"entity",...}` each, last ' +
          '`{"type":"end","entities","position"}`; without that line the answer is not whole. Follow /changes?after=POSITION: ' +
          'there is no gap between the two, and nothing comes twice.',
        querystring: z.strictObject({ blueprint: words.describe('Only these.'), asOf }),
        response: {
          200: { description: 'One line each.', content: { 'application/x-ndjson': { schema: z.string() } } },
          ...problems,
        },
      },
    },
    async (request, reply) => {
      await streamSnapshot(context, request, reply, defined(request.query))
      return reply
    },
  )
}

/** One page; an empty one is looked for again whenever the feed has grown, for so many milliseconds. */
async function poll(
  { db, feed, heartbeat }: Context,
  reply: FastifyReply,
  from: Position,
  filter: ChangeFilter,
  most: number,
  wait: number,
): ReturnType<typeof readChanges> {
  if (wait > 0) await feed.open()
  const { signal } = writer(reply, feed.ending)
  const until = performance.now() + wait
  for (let position = from; ; ) {
    const { version } = feed
    const read = await readChanges(db, position, filter, most)
    const left = until - performance.now()
    if (wait === 0 || read.items.length > 0 || left <= 0 || signal.aborted) return read
    position = read.position
    if (!read.more) await feed.grown(version, Math.min(left, heartbeat), signal)
  }
}

function wantsPage(accept: string | undefined): boolean {
  return accept !== undefined && accept.includes('application/json') && !accept.includes('text/event-stream')
}
