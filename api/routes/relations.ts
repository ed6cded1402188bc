import { z } from 'zod'
import { listConflicts } from '../../core/catalog/query/conflicts.ts'
import { listDangling, relationsState } from '../../core/catalog/query/dangling.ts'
import { directions, entityIdOf, relatedEntities } from '../../core/catalog/query/related.ts'
import type { Api, Context } from '../context.ts'
import { defined } from '../defined.ts'
import { claim, danglingRelation } from './dangling.ts'
import { entityUnknown } from './entities.ts'
import { array, limit, list, paging, problems, reference, text } from './schemas.ts'

const related = z
  .object({
    reference,
    title: z.string().nullable(),
    depth: z.int().describe('How many relations lie between.'),
    by: array(
      z.object({
        relation: z.string(),
        direction: z.enum(['out', 'in']).describe('out: `from` points at it; in: it points at `from`.'),
        from: reference,
      }),
    ).describe('The relations that lead to it from one that is nearer.'),
  })
  .meta({ id: 'Related' })

const flag = z.enum(['true', 'false']).transform((value) => value === 'true')

/** What leads where, in both directions, and what leads nowhere. */
export function relationRoutes(app: Api, { db }: Context): void {
  app.get(
    '/entities/:blueprint/:identifier/related',
    {
      schema: {
        tags: ['catalog'],
        summary: 'What is related to an entity, near ones first',
        params: z.object({ blueprint: text, identifier: text }),
        querystring: z.strictObject({
          depth: z.coerce.number().int().min(1).max(3).default(1).describe('How many relations may lie between.'),
          direction: z
            .enum(directions)
            .default('both')
            .describe('out: what it points at, and on from there; in: what points at it.'),
          limit,
        }),
        response: {
          200: z.object({
            reference,
            items: array(related),
            truncated: z.literal(true).optional().describe('There are more than `limit`.'),
          }),
          ...problems,
        },
      },
    },
    async ({ params: { blueprint, identifier }, query }) => {
      const found = await entityIdOf(db, blueprint, identifier)
      if (found === undefined) throw entityUnknown(blueprint, identifier)
      return { reference: found.reference, ...(await relatedEntities(db, found.id, query)) }
    },
  )

  app.get(
    '/conflicts',
    {
      schema: {
        tags: ['catalog'],
        summary: 'Names that several records claim and only one may have (`identity: conflict` in the blueprint)',
        response: { 200: z.object({ items: array(z.object({ reference, claims: array(claim) })) }), ...problems },
      },
    },
    async () => ({ items: await listConflicts(db) }),
  )

  app.get(
    '/dangling',
    {
      schema: {
        tags: ['catalog'],
        summary:
          'Relations that lead nowhere although they must, and searches for one entity that found none or several',
        querystring: z.strictObject({ blueprint: text.optional(), required: flag.optional(), ...paging }),
        response: {
          200: list(danglingRelation).extend({
            total: z.object({ required: z.int(), other: z.int() }),
            behind: z.int().describe('Changes and searches that have not been looked at; 0: the answer is whole.'),
            settled: z.boolean(),
          }),
          ...problems,
        },
      },
    },
    async ({ query }) => {
      const { behind, dangling } = await relationsState(db)
      return { ...(await listDangling(db, defined(query))), total: dangling, behind, settled: behind === 0 }
    },
  )
}
