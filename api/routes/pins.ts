import { z } from 'zod'
import { listPinned } from '../../core/catalog/query/pinned.ts'
import type { Api, Context } from '../context.ts'
import { defined } from '../defined.ts'
import { list, paging, problems, reference, text, time } from './schemas.ts'

const pinned = z
  .object({
    reference,
    title: z.string().nullable(),
    revision: z.int(),
    who: z.string(),
    reason: z.string().nullable(),
    at: time,
    source: z.string(),
    kind: z.string(),
    key: z.string().describe("The source's id of the object that it was made of."),
  })
  .meta({ id: 'Pinned' })

const named = z.object({ blueprint: text, identifier: text })

export function pinRoutes(app: Api, { db, undo }: Context): void {
  app.get(
    '/pins',
    {
      schema: {
        tags: ['catalog'],
        summary: 'Entities that people keep although no source shows them, the latest first',
        querystring: z.strictObject(paging),
        response: { 200: list(pinned), ...problems },
      },
    },
    async ({ query }) => listPinned(db, defined(query)),
  )

  app.post(
    '/entities/:blueprint/:identifier/undo',
    {
      schema: {
        tags: ['catalog'],
        summary: 'Undo a deletion: the entity is back as it was, and pinned until its source shows it again',
        params: named,
        body: z.strictObject({ reason: text.optional().describe('Why, for whoever finds it pinned.') }).nullish(),
        response: { 200: pinned, ...problems },
      },
    },
    async ({ params, body, who }) => undo.undo(params, { who, ...defined(body ?? {}) }),
  )

  app.delete(
    '/entities/:blueprint/:identifier/pin',
    {
      schema: {
        tags: ['catalog'],
        summary: 'End a pin: what no source shows is deleted',
        params: named,
        response: {
          200: z.object({ reference, exists: z.boolean().describe('Something else says it, too.') }),
          ...problems,
        },
      },
    },
    async ({ params, who }) => undo.unpin(params, { who }),
  )
}
