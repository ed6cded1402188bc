import { z } from 'zod'
import { formatPosition, readChanges, resolvePosition } from '../../core/catalog/query/changes.ts'
import { operations } from '../../core/catalog/query/versions.ts'
import type { Api, Context } from '../context.ts'
import { streamChanges } from '../stream.ts'
import { array, json, limit, object, problems, reference, text, time } from './schemas.ts'

export const change = z
  .object({
    position: z.string().describe('Pass as `after` to go on behind it.'),
    operation: z.enum(operations).describe('restored: its deletion was undone.'),
    reference,
    blueprint: z.string(),
    identifier: z.string(),
    revision: z.int(),
    patch: object.nullable().describe('Field -> [before, after]; null when created, and where nothing of it changed.'),
    cause: json.describe('What made it happen: a scan, a delivery, a get, a remap, a person.'),
    at: time,
  })
  .meta({ id: 'Change' })

const changePage = z.object({
  items: array(change),
  next: z.string().optional().describe('Pass as `after`; present while there is more.'),
  position: z.string().describe('Pass as `after` to ask again later, also when there is no more now.'),
})

export function changeRoutes(app: Api, context: Context): void {
  app.get(
    '/changes',
    {
      schema: {
        tags: ['catalog'],
        summary: 'The ordered log of what happened to entities',
        description:
          'As text/event-stream (the default) it stays open and goes on where Last-Event-ID or `after` says, also across ' +
          'a restart. With Accept: application/json it is one page. 410 feed_expired or feed_replaced: read the catalog again, see /snapshot.',
        querystring: z.strictObject({
          after: text
            .optional()
            .describe('A position, `start` or `now`. Default: `now` for a stream, `start` for a page.'),
          blueprint: text.optional(),
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
      const { after, blueprint, limit: most } = request.query
      const filter = blueprint === undefined ? {} : { blueprint }
      if (wantsPage(request.headers.accept)) {
        const from = await resolvePosition(context.db, after ?? 'start')
        const { items, position, more } = await readChanges(context.db, from, filter, most)
        const reached = formatPosition(position)
        return reply.type('application/json').send({ items, position: reached, ...(more ? { next: reached } : {}) })
      }
      const last = request.headers['last-event-id']
      const from = await resolvePosition(context.db, (typeof last === 'string' ? last : undefined) ?? after ?? 'now')
      await streamChanges(context, request, reply, from, filter)
      return reply
    },
  )
}

function wantsPage(accept: string | undefined): boolean {
  return accept !== undefined && accept.includes('application/json') && !accept.includes('text/event-stream')
}
