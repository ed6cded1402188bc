import { z } from 'zod'
import { candidates, type EntityQuery, listEntities } from '../../core/catalog/query/entities.ts'
import { listEntitiesAsOf } from '../../core/catalog/query/entities-as-of.ts'
import { getEntity } from '../../core/catalog/query/entity.ts'
import { type EntityFreshness, entityFreshness } from '../../core/catalog/query/entity-freshness.ts'
import { readLine } from '../../core/catalog/query/line/index.ts'
import { originsOf } from '../../core/catalog/query/provenance.ts'
import { getEntityAsOf } from '../../core/catalog/query/then.ts'
import type { EntityView } from '../../core/catalog/query/view.ts'
import { parseWhere } from '../../core/catalog/query/where.ts'
import type { SearchQuery } from '../../core/model/entity.ts'
import type { Json } from '../../core/model/json.ts'
import { fields, operators } from '../../core/model/search.ts'
import { CatchmentError } from '../../core/sdk/index.ts'
import type { Api, Context } from '../context.ts'
import { defined } from '../defined.ts'
import { claim, danglingRelation } from './dangling.ts'
import { asOf, momentSchema } from './moments.ts'
import { array, limit, list, mappingProblem, object, paging, problems, reference, text, time } from './schemas.ts'

const rule = z.object({
  property: text.describe(`A property, \`relations.NAME\`, or ${fields.join(' ')}.`),
  operator: z.string().describe(operators.join(' ')),
  value: z
    .unknown()
    // What the parser of JSON bodies made is JSON.
    .transform((value) => (value ?? null) as Json)
    .describe('Any JSON. Not needed by isEmpty and isNotEmpty.'),
})

const searchQuery = z
  .object({
    combinator: z.enum(['and', 'or']),
    get rules() {
      return array(z.union([searchQuery, rule]))
    },
  })
  .meta({ id: 'SearchQuery' })

/** How true it is: rolled up from the partitions that its records were seen in. Not of what was (`asOf`). */
const trust = {
  freshness: z
    .enum(['fresh', 'stale', 'unknown'])
    .optional()
    .describe('The worst of the partitions it was seen in. Unknown is never healthy.'),
  freshnessReason: z.string().optional().describe('Why it is not fresh.'),
  confirmedAt: time.nullable().optional().describe('End of the oldest of their last complete scans.'),
}

const entity = z
  .object({
    reference,
    blueprint: z.string(),
    identifier: z.string(),
    title: z.string().nullable(),
    stub: z.literal(true).optional().describe('Relations lead to it, and no source has it. Absent: it is none.'),
    team: array(z.string()),
    properties: object,
    relations: z
      .record(
        z.string(),
        z
          .union([z.string(), array(z.string()), z.object({ combinator: z.string(), rules: array(z.unknown()) })])
          .nullable(),
      )
      .describe(
        'References of what it points at, under their current names; null: a search for one found none or several. A query: it was not answered yet, or `asOf`.',
      ),
    failed: array(mappingProblem).describe('Fields that keep a last good value because their expression failed.'),
    revision: z.int().describe('Grows with every change of any entity.'),
    ...trust,
    createdAt: time,
    updatedAt: time,
  })
  .meta({ id: 'Entity' })

const link = z.object({ relation: z.string(), reference, title: z.string().nullable() })

const entityDetail = entity
  .extend({
    askedAs: reference.optional().describe('The former name that was asked for; the rest is what it is called now.'),
    aliases: array(reference).describe('Former names.'),
    links: z.object({
      out: array(link.extend({ state: z.enum(['present', 'missing']) })),
      in: array(link).describe('What points at it: the first hundred.'),
      inTotal: z.int(),
    }),
    conflict: array(claim).optional().describe('Records that claim its name, if only one may have it.'),
    sources: z
      .record(
        z.string(),
        array(z.object({ source: z.string(), kind: z.string(), key: z.string(), mapping: z.string() })),
      )
      .optional()
      .describe('With `provenance=true`: by field the contributions that its value is of.'),
    dangling: array(danglingRelation).describe('Its relations that lead nowhere although they must.'),
    held: z.int().describe('Deletions and changes of it that wait for a person.'),
    pinned: z
      .object({ who: z.string(), reason: z.string().nullable(), at: time })
      .optional()
      .describe('Its deletion was undone: a person keeps it although its source does not show it.'),
  })
  .meta({ id: 'EntityDetail' })

const entityThen = entity
  .extend({
    asOf: momentSchema.describe('The moment: the change it lies behind, and when that happened.'),
    askedAs: reference.optional().describe('A former name that was asked for.'),
    links: z.object({ out: array(link.extend({ state: z.enum(['present', 'missing']) })) }),
  })
  .meta({ id: 'EntityThen' })

const entityList = list(entity).extend({
  asOf: momentSchema.optional().describe('With `asOf`: the moment that the list is of.'),
  total: z.int().optional().describe('With `count`: how many match in all.'),
  truncated: z
    .literal(true)
    .optional()
    .describe(
      `The words match more than ${candidates} entities, of which so many were ranked. Use more words, or a sort.`,
    ),
})

const sort = z
  .string()
  .max(200)
  .optional()
  .describe(
    'identifier, title, created_at, updated_at or properties.NAME; - in front for descending. Default: best match.',
  )

const q = z
  .string()
  .max(1000)
  .optional()
  .describe(
    'A line of words and conditions: `blueprint:service team:payments -has:codeowners stars:>10 "free text" sort:-updated`. docs/search.md has the grammar.',
  )

/** `false` in an address is a text. */
const count = z
  .union([z.boolean(), z.enum(['true', 'false']).transform((value) => value === 'true')])
  .optional()
  .describe('Count all that match, as `total`.')

const many = z
  .union([z.string(), z.array(z.string())])
  .transform((value) => (typeof value === 'string' ? [value] : value))
  .optional()
  .describe('Conditions, all of which hold: language=go, stars>=10, topics~payments, archived!=true.')

export function entityRoutes(app: Api, context: Context): void {
  const { db } = context
  // What was so then is not judged by how fresh its sources are now.
  const find = async (asked: Asked): ReturnType<typeof listEntities> => {
    const query = await read(context, asked)
    return query.asOf === undefined
      ? trusted(context, await listEntities(db, query))
      : listEntitiesAsOf(db, { ...query, asOf: query.asOf })
  }

  app.get(
    '/entities',
    {
      schema: {
        tags: ['catalog'],
        summary: 'List and search entities',
        querystring: z.strictObject({ blueprint: text.optional(), q, where: many, sort, count, asOf, ...paging }),
        response: { 200: entityList, ...problems },
      },
    },
    async ({ query: { where, ...rest } }) => find({ ...rest, query: parseWhere(where ?? []) }),
  )

  app.post(
    '/search',
    {
      schema: {
        tags: ['catalog'],
        summary: 'Search entities with a query of any shape',
        body: z.strictObject({
          blueprint: text.optional(),
          q,
          query: searchQuery.optional(),
          sort,
          count,
          asOf,
          limit,
          cursor: paging.cursor,
        }),
        response: { 200: entityList, ...problems },
      },
    },
    async ({ body }) => find(body),
  )

  app.get(
    '/entities/:blueprint/:identifier',
    {
      schema: {
        tags: ['catalog'],
        summary: 'One entity, by its current or a former name',
        params: z.object({ blueprint: text, identifier: text }),
        querystring: z.strictObject({
          asOf,
          provenance: z
            .enum(['true', 'false'])
            .optional()
            .describe('true: `sources` says where each field comes from.'),
        }),
        response: { 200: z.union([entityThen, entityDetail]), ...problems },
      },
    },
    async ({ params: { blueprint, identifier }, query }) => {
      if (query.asOf !== undefined) {
        const then = await getEntityAsOf(db, { blueprint, identifier }, query.asOf)
        if (then === undefined) throw entityUnknown(blueprint, identifier, query.asOf)
        return then
      }
      const found = await getEntity(db, blueprint, identifier)
      const [entity] = found === undefined ? [] : await withFreshness(context, [found])
      if (entity === undefined) throw entityUnknown(blueprint, identifier)
      return query.provenance === 'true' ? { ...entity, sources: await originsOf(db, entity.id) } : entity
    },
  )
}

/** A page of entities, each with how true it is. */
async function trusted<List extends { readonly items: readonly EntityView[] }>(
  context: Context,
  list: List,
): Promise<Omit<List, 'items'> & { readonly items: readonly (EntityView & EntityFreshness)[] }> {
  return { ...list, items: await withFreshness(context, list.items) }
}

export async function withFreshness<View extends EntityView>(
  { db, objectives, now }: Pick<Context, 'db' | 'objectives' | 'now'>,
  views: readonly View[],
): Promise<readonly (View & EntityFreshness)[]> {
  const ids = views.map(({ id }) => id)
  const known = await entityFreshness(db, ids, objectives, now())
  // Every id that was asked for is answered; what it does not know is unknown.
  const unknown: EntityFreshness = { freshness: 'unknown', confirmedAt: null }
  return views.map((view) => ({ ...view, ...(known.get(view.id) ?? unknown) }))
}

export function entityUnknown(blueprint: string, identifier: string, then?: string): CatchmentError {
  const name = `${blueprint}:${identifier}`
  return new CatchmentError(
    then === undefined ? `${name} is not in the catalog.` : `${name} was not in the catalog at ${then}.`,
    {
      code: 'entity_unknown',
      status: 404,
      hint: `Ask why: GET /api/v1/explain?reference=${encodeURIComponent(name)} or catchment explain ${name}`,
      details: { reference: name },
    },
  )
}

interface Asked {
  readonly blueprint?: string | undefined
  readonly q?: string | undefined
  readonly query?: SearchQuery | undefined
  readonly sort?: string | undefined
  readonly count?: boolean | undefined
  readonly asOf?: string | undefined
  readonly limit: number
  readonly cursor?: string | undefined
}

/** Parameters that were not given are absent, not undefined. */
async function read({ db, now, objectives }: Context, asked: Asked): Promise<EntityQuery> {
  const { q, count: total, limit: most, ...rest } = asked
  const { blueprint } = rest
  const today = rest.asOf === undefined ? { objectives } : {}
  const line =
    q === undefined || q.trim() === '' ? undefined : await readLine(db, q, { now: now(), blueprint, ...today })
  return { limit: most, ...defined({ ...rest, line, total }) }
}
