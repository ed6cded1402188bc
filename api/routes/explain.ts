import { z } from 'zod'
import { explain } from '../../core/catalog/query/explain.ts'
import { causes, type Evaluate, type Explanation, explainedStates } from '../../core/catalog/query/explanation.ts'
import type { Json } from '../../core/model/json.ts'
import { CatchmentError } from '../../core/sdk/index.ts'
import type { Api, Context } from '../context.ts'
import { change } from './changes.ts'
import { held } from './held.ts'
import { array, json, mappingProblem, object, problems, reference, text, time } from './schemas.ts'

const explanation = z
  .object({
    reference: z.string(),
    state: z.enum(explainedStates),
    cause: z.enum(causes).nullable().describe('Why it is not there, or (held) only kept; null when it is there.'),
    next: array(z.string()).describe('Commands that lead on, the best first.'),
    fields: array(
      z.object({
        field: z.string(),
        value: json,
        source: z.string(),
        kind: z.string(),
        key: z.string(),
        partitions: array(z.string()),
        mapping: z.string(),
        expression: z.string().optional(),
        file: z.string().optional(),
        line: z.int().optional(),
        confirmedBy: z.string().describe('The scan that confirmed it last.'),
        freshness: z.enum(['fresh', 'stale', 'unknown']),
      }),
    ).describe('Where each field of a present entity comes from.'),
    summary: z.string().describe('One sentence that answers the question.'),
    notes: array(z.string()),
    entity: z
      .object({
        reference,
        title: z.string().nullable(),
        revision: z.int(),
        updatedAt: time,
        failed: array(mappingProblem),
        deleted: json.describe('Why it is not there any more, by what, when; null while it is.'),
      })
      .optional(),
    contributions: array(
      z.object({
        source: z.string(),
        kind: z.string(),
        key: z.string(),
        recordState: z.enum(['live', 'gone']),
        version: z.string().nullable(),
        locator: object,
        mapping: z.string(),
        item: z.string(),
        mappingVersion: z.int(),
        owning: z.boolean().describe('A weak one adds fields but does not make the entity exist.'),
        partitions: array(
          z.object({
            name: z.string(),
            state: z.string(),
            reason: z.string().nullable(),
            present: z.boolean(),
            freshness: z.enum(['fresh', 'stale', 'unknown']),
            scan: z.string().nullable().describe("The partition's last complete scan."),
            scannedAt: time.nullable(),
          }),
        ),
        problems: array(mappingProblem),
      }),
    ),
    held: array(held),
    changes: array(change),
    records: array(
      z.object({
        source: z.string(),
        kind: z.string(),
        key: z.string(),
        state: z.enum(['live', 'gone']),
        locator: object,
        gone: json,
        feeds: array(reference),
        mappings: array(
          z.object({
            mapping: z.string(),
            outcome: z.enum(['selected', 'deselected', 'quarantined']),
            entities: array(reference),
            expression: z.string().optional().describe('The selector that is false.'),
            parts: array(z.object({ part: z.string(), gave: z.string() })).optional(),
            problem: mappingProblem.optional(),
          }),
        ),
      }),
    ),
    candidates: array(reference).describe('What to ask about instead.'),
  })
  .meta({ id: 'Explanation' })

export function explainRoutes(app: Api, context: Context): void {
  app.get(
    '/explain',
    {
      schema: {
        tags: ['catalog'],
        summary: 'Why is this in the catalog, or not?',
        querystring: z.strictObject({
          reference: text
            .optional()
            .describe('blueprint:identifier, record:source/kind/key, an address, or just a name.'),
          q: text.optional().describe('The same.'),
        }),
        response: { 200: explanation, ...problems },
      },
    },
    async ({ query }) => {
      const asked = query.reference ?? query.q
      if (asked === undefined)
        throw new CatchmentError('Explain what? Give a reference, an address or a name.', {
          code: 'parameter_invalid',
          status: 400,
          hint: 'GET /api/v1/explain?q=service:acme/checkout',
        })
      return explainNow(context, asked)
    },
  )
}

/** By the mapping that is active now, whatever the files said at start: an apply may have changed it since. */
export async function explainNow(
  { db, plans, objectives, now }: Pick<Context, 'db' | 'plans' | 'objectives' | 'now'>,
  asked: string,
): Promise<Explanation> {
  const active = await plans.active()
  const evaluate: Evaluate = (source, kind, body) => {
    // A record was stored as the text of a JSON value.
    return active(source)?.apply(kind, JSON.parse(body) as Json, { now: Math.floor(now() / 1000), text: body })
  }
  return explain(db, asked, evaluate, { about: (source) => active(source)?.about, objectives, now: now() })
}
