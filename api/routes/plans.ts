import { setTimeout as pause } from 'node:timers/promises'
import { z } from 'zod'
import { getPlan, listPlans, type PlanRow, planStates } from '../../core/catalog/plans.ts'
import { decodeCursor, encodeCursor, page } from '../../core/catalog/query/cursor.ts'
import { viewPlan, viewProgress } from '../../core/plan/view.ts'
import { CatchmentError } from '../../core/sdk/index.ts'
import type { Api, Context } from '../context.ts'
import { array, id, json, list, mappingProblem, paging, problems, reference, text, time } from './schemas.ts'

const count = z.int()
const counts = { creates: count, changes: count, renames: count, withdrawals: count }
const marks = z.object({
  added: count,
  fixed: count,
  samples: array(z.object({ reference: z.string(), problem: mappingProblem })),
})

const plan = z
  .object({
    id: z.string(),
    source: z.string(),
    state: z
      .enum(planStates)
      .describe(
        'making, then planned or failed; checking, then stale or applying; applied, or superseded by another version',
      ),
    how: z.enum(['apply', 'rollback']),
    pending: z.boolean().describe('Something differs from the active version.'),
    base: count.describe('The version that was active when it was made.'),
    version: count.nullable().describe('The version that its apply activated.'),
    tick: z.string().nullable().describe('What was confirmed after it is not in the plan.'),
    madeAt: time,
    madeBy: z.string(),
    appliedAt: time.nullable(),
    appliedBy: z.string().nullable(),
    endedAt: time.nullable(),
    problem: json.describe('Why it failed, or what it would take away now beyond what it has.'),
    progress: z
      .object({
        done: z.record(z.string(), count).describe('Lines of the change feed, by operation.'),
        held: count.describe('What the guard keeps, or what was not in the plan.'),
        left: count.describe('Records that are still to be mapped.'),
      })
      .nullable()
      .describe('Of its apply.'),
    differs: array(z.string()).optional().describe('Which parts differ from the active version.'),
    file: z.string().optional(),
    records: count.optional().describe('Stored records that the other version was run over.'),
    counts: z
      .object({ ...counts, feed: count.describe('Lines that an apply adds to the change feed.') })
      .optional()
      .describe('Entities, before against after.'),
    blueprints: array(
      z.object({
        blueprint: z.string(),
        ...counts,
        fields: array(z.object({ field: z.string(), count })).describe('How many entities differ in each field.'),
        samples: array(
          z.object({
            operation: z.enum(['create', 'change', 'rename', 'withdrawal']),
            reference,
            title: z.string().nullable(),
            diff: z.record(z.string(), array(json)).optional().describe('Field to [before, after].'),
          }),
        ).describe('At most 10 of each operation.'),
      }),
    ).optional(),
    failures: marks.optional().describe('Fields whose expression fails: they keep their last good value.'),
    quarantines: marks
      .optional()
      .describe('Records whose selector, identifier or blueprint fails: they keep what they said.'),
    held: z
      .object({
        count,
        samples: array(z.object({ what: z.string(), reason: z.string(), key: z.string(), entities: array(reference) })),
      })
      .optional()
      .describe('What the guard would keep from being taken away.'),
    scans: array(z.object({ kind: z.string(), reason: z.string() }))
      .optional()
      .describe('What stored records cannot tell: these kinds are scanned when it is applied.'),
    warnings: array(z.string()).optional(),
  })
  .meta({ id: 'Plan' })

const file = z.strictObject({ file: text, text: z.string() })
/** Seconds that a request waits before it answers with what there is so far. */
const wait = z.coerce.number().min(0).max(60).default(20).describe('Seconds to wait for the result.')

export function planRoutes(app: Api, { db, plans }: Context): void {
  app.post(
    '/plans',
    {
      bodyLimit: 16 * 1024 * 1024,
      schema: {
        tags: ['plans'],
        summary: 'Find out what another mapping version would do; nothing is changed and no source is called',
        querystring: z.strictObject({ wait }),
        body: z.strictObject({
          source: text,
          mapping: file.optional().describe('Instead of the mapping file of the source.'),
          blueprints: array(file).optional().describe('Instead of its blueprint files.'),
          replace: z
            .enum(['named', 'all'])
            .default('named')
            .describe('named: the blueprints given take the place of those with their identifiers.'),
          version: id.optional().describe('An older version, to go back to it.'),
          back: z.boolean().optional().describe('Go back to the version that was active before.'),
        }),
        response: {
          201: plan.describe('Made.'),
          202: plan.describe('Still being made: ask for it again.'),
          ...problems,
        },
      },
    },
    async ({ body, query, who }, reply) => {
      const { source, replace } = body
      const made = await plans.create(
        {
          source,
          replace,
          ...(body.mapping === undefined ? {} : { mapping: body.mapping }),
          ...(body.blueprints === undefined ? {} : { blueprints: body.blueprints }),
          ...(body.version === undefined ? {} : { version: body.version }),
          ...(body.back === undefined ? {} : { back: body.back }),
        },
        who,
      )
      await within(query.wait, made.done)
      const row = await getPlan(db, made.id)
      return reply.code(row.state === 'making' ? 202 : 201).send(viewPlan(row))
    },
  )

  app.get(
    '/plans',
    {
      schema: {
        tags: ['plans'],
        summary: 'Plans, newest first',
        querystring: z.strictObject({ source: text.optional(), state: z.enum(planStates).optional(), ...paging }),
        response: { 200: list(plan), ...problems },
      },
    },
    async ({ query }) => {
      const { limit, cursor, source, state } = query
      const shape = { ...(source === undefined ? {} : { source }), ...(state === undefined ? {} : { state }) }
      const before = cursor === undefined ? {} : { before: decodeCursor(shape, cursor, 1)[0] ?? '0' }
      const rows = await listPlans(db, { ...shape, ...before, limit: limit + 1 })
      return page(
        rows,
        limit,
        (row) => viewPlan(row),
        (last) => encodeCursor(shape, [last.id.toString()]),
      )
    },
  )

  app.get(
    '/plans/:id',
    {
      schema: {
        tags: ['plans'],
        summary: 'One plan, with how far its apply is',
        params: z.object({ id }),
        response: { 200: plan, ...problems },
      },
    },
    async ({ params }) => viewProgress(db, await getPlan(db, params.id)),
  )

  app.post(
    '/plans/:id/apply',
    {
      schema: {
        tags: ['plans'],
        summary: 'Carry it out: record by record, so for a while some entities are of the new version and some are not',
        params: z.object({ id }),
        querystring: z.strictObject({ wait }),
        response: { 202: plan, ...problems },
      },
    },
    async ({ params, query, who }, reply) => {
      const { done } = await plans.apply(params.id, who)
      await within(query.wait, done)
      const row = await getPlan(db, params.id)
      if (row.state === 'stale') throw stale(row)
      return reply.code(202).send(await viewProgress(db, row))
    },
  )
}

async function within(seconds: number, work: Promise<void>): Promise<void> {
  const stop = new AbortController()
  await Promise.race([work, pause(seconds * 1000, undefined, { signal: stop.signal }).catch(() => undefined)])
  stop.abort()
}

function stale({ problem }: PlanRow): CatchmentError {
  const message = problem?.['message']
  return new CatchmentError(
    typeof message === 'string' ? message : 'The catalog has changed since the plan was made.',
    {
      code: 'plan_stale',
      status: 409,
      hint: 'Nothing was applied. Look at a new plan: catchment plan',
      details: { outside: problem?.['outside'] ?? null },
    },
  )
}
