import { z } from 'zod'
import { entityDiff, entityHistory } from '../../core/catalog/query/history.ts'
import { operations } from '../../core/catalog/query/versions.ts'
import { CatchmentError } from '../../core/sdk/index.ts'
import type { Api, Context } from '../context.ts'
import { defined } from '../defined.ts'
import { asOf } from './moments.ts'
import { array, json, list, paging, problems, reference, text, time } from './schemas.ts'

const field = z.object({
  field: z.string().describe('identifier, title, team, failed, properties.NAME or relations.NAME'),
  before: json.describe('Null: it had none.'),
  after: json,
})

const version = z
  .object({
    revision: z.int(),
    seq: z.int().describe('Place in the change feed.'),
    position: z.string().describe('The same as the feed gives it; can be asked for as `asOf`.'),
    at: time,
    operation: z.enum(operations),
    reference,
    cause: json.describe('What made it: a scan, a delivery, a get, a remap (with the mapping version), a person.'),
    changes: array(field)
      .nullable()
      .describe('Null: they are no longer kept; this is the version that the kept history begins with.'),
  })
  .meta({ id: 'Version' })

const history = list(version).extend({
  reference,
  state: z.enum(['present', 'deleted']),
  others: array(z.object({ reference, revision: z.int(), at: time })).describe(
    'Other entities that went by this name. Ask for the history of one with `asOf` its revision.',
  ),
})

const side = z.object({
  position: z.string(),
  at: time.nullable(),
  version: z.object({ revision: z.int(), reference, at: time }).nullable().describe('Null: it was not in the catalog.'),
})

const named = z.object({ blueprint: text, identifier: text })

export function historyRoutes(app: Api, { db }: Context): void {
  app.get(
    '/entities/:blueprint/:identifier/history',
    {
      schema: {
        tags: ['catalog'],
        summary: 'The versions of an entity and what made each, newest first; of a deleted or renamed one, too',
        params: named,
        querystring: z.strictObject({ asOf, ...paging }),
        response: { 200: history, ...problems },
      },
    },
    async ({ params, query }) => (await entityHistory(db, params, defined(query))) ?? never(params),
  )

  app.get(
    '/entities/:blueprint/:identifier/diff',
    {
      schema: {
        tags: ['catalog'],
        summary: 'What differs between an entity at two moments',
        params: named,
        querystring: z.strictObject({
          from: text.optional().describe('A time, a revision or a position. Default: the version before `to`.'),
          to: text.optional().describe('The same. Default: now.'),
        }),
        response: {
          200: z.object({ reference, from: side, to: side, changes: array(field) }),
          ...problems,
        },
      },
    },
    async ({ params, query }) => (await entityDiff(db, params, defined(query))) ?? never(params),
  )
}

function never({ blueprint, identifier }: { readonly blueprint: string; readonly identifier: string }): never {
  const name = `${blueprint}:${identifier}`
  throw new CatchmentError(`${name} was never in the catalog, as far as history is kept.`, {
    code: 'entity_unknown',
    status: 404,
    hint: `Ask why: GET /api/v1/explain?reference=${encodeURIComponent(name)} or catchment explain ${name}`,
    details: { reference: name },
  })
}
