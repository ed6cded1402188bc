import { z } from 'zod'
import { getBlueprint, listBlueprints } from '../../core/catalog/query/blueprints.ts'
import { pageOf } from '../../core/catalog/query/cursor.ts'
import { getScan, listScans } from '../../core/catalog/query/scans.ts'
import { listSources } from '../../core/catalog/query/sources.ts'
import { removeSource } from '../../core/catalog/remove-source.ts'
import { withVersions } from '../../core/plan/annotate.ts'
import { CatchmentError } from '../../core/sdk/index.ts'
import type { Api, Context } from '../context.ts'
import { defined } from '../defined.ts'
import { array, id, json, list, object, paging, problems, text, time } from './schemas.ts'

const freshness = z
  .enum(['fresh', 'stale', 'unknown'])
  .describe('Against the objective of the source. Unknown is never healthy: it says that nobody can tell.')

const scan = z
  .object({
    id: z.string(),
    source: z.string(),
    kind: z.string(),
    partition: z.string(),
    state: z.string(),
    reason: z.string().nullable(),
    startedAt: time,
    endedAt: time.nullable(),
    parkedUntil: time.nullable().describe('The source asked us to wait until then.'),
    pages: z.int(),
    notModified: z.int().describe('Pages that the source said had not changed.'),
    calls: z.int().describe('Calls of the listing; told when it ends or pauses.'),
    quota: z.int().describe('How many of them counted against the rate limit.'),
    items: z.int(),
    changed: z.int(),
    failed: z.int(),
    removed: z.int(),
    held: z.int(),
    expected: z.int().nullable().describe('Items of the last complete scan.'),
    progress: z
      .object({
        share: z.number().nullable().describe('0 to 1.'),
        rate: z.number().describe('Items a second.'),
        endsAt: time.nullable().describe('Forecast.'),
      })
      .nullable(),
  })
  .meta({ id: 'Scan' })

const partition = z.object({
  name: z.string(),
  state: z.enum(['unseen', 'known', 'unknown']),
  freshness,
  reason: z.string().optional().describe('Why it is not fresh.'),
  advice: z.string().optional().describe('What to do about it.'),
  completeScan: z.string().nullable(),
  completeAt: time.nullable(),
  ageSeconds: z.int().nullable(),
  held: z.int().describe('Deletions in it that wait for a person.'),
  scan: scan.nullable().describe('The scan begun last.'),
})

const source = z
  .object({
    name: z.string(),
    integration: z.string(),
    state: z.enum(['active', 'frozen']),
    freshness,
    objectiveSeconds: z.number().nullable(),
    identity: z.string().nullable().describe('Who its credential is.'),
    pausedUntil: time.nullable().describe('The source asked to wait: until then it is not called.'),
    problem: json.describe('What the last check of the credential found wrong.'),
    deliveries: z.object({ waiting: z.int(), lagSeconds: z.number(), dead: z.int() }),
    doubts: z.int().describe('Keys that the source still has to be asked about.'),
    webhooks: z
      .object({
        managed: z.boolean().describe('Catchment looks after them now.'),
        hooks: array(
          z.object({
            scope: z.string(),
            id: z.string(),
            remove: z.string().nullable().describe('A command with which a person removes it.'),
          }),
        ),
        refused: array(z.object({ scope: z.string(), reason: z.string() })).describe(
          'Where it may make none, and why.',
        ),
      })
      .optional()
      .describe('Webhooks that Catchment made. Absent: it made none, and was not asked to.'),
    mapping: z
      .object({
        version: z.int(),
        since: time.nullable(),
        by: z.string().nullable(),
        how: z.string().nullable(),
        pending: array(z.string())
          .nullable()
          .describe('Parts of its files that say something else than the active version; null: they cannot be read.'),
        applying: z.string().nullable().describe('The plan that is being carried out.'),
      })
      .optional(),
    kinds: array(
      z.object({
        name: z.string(),
        freshness,
        objectiveSeconds: z.number().nullable().describe('Stale after so long without a complete scan.'),
        records: z.int(),
        held: z.int(),
        quarantined: z.int(),
        pinned: z.int().describe('Deleted entities that people keep.'),
        nextScanAt: time.nullable(),
        scanRequested: z.boolean().describe('A scan was asked for and has not begun.'),
        partitions: array(partition),
      }),
    ),
  })
  .meta({ id: 'Source' })

const blueprint = z.object({
  identifier: z.string(),
  title: z.string().nullable(),
  source: z.string().nullable(),
  entities: z.int(),
})

export function sourceRoutes(app: Api, { db, engine, plans, objectives, now }: Context): void {
  app.get(
    '/sources',
    {
      schema: {
        tags: ['sync'],
        summary: 'Sources with the freshness of each kind and partition',
        querystring: z.strictObject(paging),
        response: { 200: list(source), ...problems },
      },
    },
    async ({ query }) =>
      pageOf(
        await withVersions(db, plans, await listSources(db, objectives, now())),
        (one) => one.name,
        defined(query),
      ),
  )

  app.delete(
    '/sources/:name',
    {
      schema: {
        tags: ['sync'],
        summary: 'Remove a source that is no longer configured, with its records and what only they said',
        params: z.object({ name: text }),
        response: {
          200: z.object({
            source: z.string(),
            records: z.int(),
            deleted: z.int().describe('Entities that nothing else said anything of.'),
            updated: z.int().describe('Entities that other sources know, too.'),
          }),
          ...problems,
        },
      },
    },
    async ({ params, who }) => {
      const removed = await removeSource(db, params.name, { who, now: now() })
      // What the feed has to tell is there now.
      engine.wake()
      return removed
    },
  )

  app.get(
    '/scans',
    {
      schema: {
        tags: ['sync'],
        summary: 'Scans with progress and forecast, newest first',
        querystring: z.strictObject({
          source: text.optional(),
          kind: text.optional(),
          partition: text.optional(),
          state: text.optional(),
          ...paging,
        }),
        response: { 200: list(scan), ...problems },
      },
    },
    async ({ query }) => listScans(db, defined(query), now()),
  )

  app.get(
    '/scans/:id',
    {
      schema: {
        tags: ['sync'],
        summary: 'One scan: what it read, cost and changed, and why it is incomplete',
        params: z.object({ id }),
        response: { 200: scan, ...problems },
      },
    },
    async ({ params }) => getScan(db, params.id, now()),
  )

  app.post(
    '/scans',
    {
      schema: {
        tags: ['sync'],
        summary: 'Ask for a scan now',
        body: z.strictObject({ source: text, kind: text.optional().describe('Default: every kind of the source.') }),
        response: { 202: z.object({ source: z.string(), kinds: array(z.string()) }), ...problems },
      },
    },
    async ({ body }, reply) => {
      const kinds = wanted(engine.sources, body.source, body.kind)
      await engine.requestScan(body.source, body.kind ?? '')
      return reply.code(202).send({ source: body.source, kinds })
    },
  )

  app.get(
    '/blueprints',
    {
      schema: {
        tags: ['catalog'],
        summary: 'Blueprints with the number of their entities',
        querystring: z.strictObject(paging),
        response: { 200: list(blueprint), ...problems },
      },
    },
    async ({ query }) => pageOf(await listBlueprints(db), (one) => one.identifier, defined(query)),
  )

  app.get(
    '/blueprints/:identifier',
    {
      schema: {
        tags: ['catalog'],
        summary: 'One blueprint, as its file has it',
        params: z.object({ identifier: text }),
        response: { 200: object, ...problems },
      },
    },
    async ({ params: { identifier } }) => {
      const found = await getBlueprint(db, identifier)
      if (found !== undefined) return { ...found }
      throw new CatchmentError(`There is no blueprint ${identifier}.`, {
        code: 'blueprint_unknown',
        status: 404,
        hint: 'List them: GET /api/v1/blueprints',
      })
    },
  )
}

function wanted(sources: Context['engine']['sources'], name: string, kind: string | undefined): readonly string[] {
  const found = sources.find((one) => one.name === name)
  if (found === undefined) {
    throw new CatchmentError(`There is no source ${name} in the configuration.`, {
      code: 'source_unknown',
      status: 404,
      hint: `Configured: ${sources.map((one) => one.name).join(', ') || 'none'}`,
    })
  }
  if (kind === undefined) return found.kinds
  if (found.kinds.includes(kind)) return [kind]
  throw new CatchmentError(`The source ${name} does not list the kind ${kind}.`, {
    code: 'kind_unknown',
    status: 404,
    hint: `It lists: ${found.kinds.join(', ')}`,
  })
}
