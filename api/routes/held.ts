import { z } from 'zod'
import { decideAllHeld, decideHeld, heldStates, listHeld } from '../../core/catalog/query/held.ts'
import type { Api, Context } from '../context.ts'
import { defined } from '../defined.ts'
import { array, id, list, object, paging, problems, reference, text, time } from './schemas.ts'

export const held = z
  .object({
    id: z.string(),
    source: z.string(),
    kind: z.string(),
    partition: z.string().nullable(),
    key: z.string().describe("The source's id of the object."),
    locator: object,
    what: z.string().describe('presence, contribution MAPPING/ITEM or property MAPPING/ITEM/NAME'),
    reason: z.string(),
    scan: z.string().nullable(),
    state: z.enum(heldStates),
    heldAt: time,
    decidedAt: time.nullable(),
    decidedBy: z.string().nullable(),
    entities: array(reference).describe('Entities that the record feeds.'),
  })
  .meta({ id: 'Held' })

const scope = { source: text.optional(), kind: text.optional(), partition: text.optional() }
const verbs = { approve: 'approved', reject: 'rejected' } as const

export function heldRoutes(app: Api, { db, engine }: Context): void {
  app.get(
    '/held',
    {
      schema: {
        tags: ['sync'],
        summary: 'Deletions and changes that a guard stopped',
        querystring: z.strictObject({
          ...scope,
          state: z.enum(heldStates).default('pending'),
          ...paging,
        }),
        response: { 200: list(held), ...problems },
      },
    },
    async ({ query }) => listHeld(db, defined(query)),
  )

  for (const verb of ['approve', 'reject'] as const) {
    const meaning =
      verb === 'approve' ? 'let it happen' : 'keep what is there; it is held again only after it was seen again'
    app.post(
      `/held/:id/${verb}`,
      {
        schema: {
          tags: ['sync'],
          summary: `${verb} one: ${meaning}`,
          params: z.object({ id }),
          response: { 200: z.object({ id: z.string(), state: z.enum(heldStates) }), ...problems },
        },
      },
      async ({ params, who }) => {
        await decideHeld(db, params.id, verbs[verb], who)
        engine.wake()
        return { id: params.id, state: verbs[verb] }
      },
    )

    app.post(
      `/held/${verb}`,
      {
        schema: {
          tags: ['sync'],
          summary: `${verb} everything that is held: of a source, a kind or a partition; of all without one`,
          body: z.strictObject(scope),
          response: { 200: z.object({ decided: z.int(), state: z.enum(heldStates) }), ...problems },
        },
      },
      async ({ body, who }) => {
        const decided = await decideAllHeld(db, defined(body), verbs[verb], who)
        engine.wake()
        return { decided, state: verbs[verb] }
      },
    )
  }
}
