import { z } from 'zod'
import type { ManualItem } from '../../core/catalog/manual/item.ts'
import type { ItemResult } from '../../core/catalog/manual/write.ts'
import { didYouMean } from '../../core/mapping/diagnostic.ts'
import type { Relation } from '../../core/model/entity.ts'
import { isObject, type Json, type JsonObject } from '../../core/model/json.ts'
import type { Api, Context } from '../context.ts'
import { array, problems, reference, text } from './schemas.ts'

const most = 1000

/** What comes from the parser of JSON bodies is JSON; the blueprint says what of it a property or relation may be. */
const item = z.strictObject({
  blueprint: text,
  identifier: text,
  title: z.string().nullable().optional(),
  team: z
    .union([z.string(), z.array(z.string())], 'is a text, a list of texts, or null')
    .nullable()
    .optional(),
  properties: z.custom<JsonObject>((value) => isObject(value as Json), 'is an object').optional(),
  relations: z
    .custom<Readonly<Record<string, Relation>>>((value) => isObject(value as Json), 'is an object')
    .optional(),
})

const itemError = z.object({
  code: z.string().describe('Stable; what a program decides upon.'),
  field: z.string().optional(),
  detail: z.string(),
  hint: z.string().optional(),
})

const answer = z.object({
  items: array(
    z.object({
      index: z.int().describe('Of the item in the request.'),
      reference,
      state: z.enum(['written', 'unchanged', 'refused']),
      exists: z
        .boolean()
        .describe('The entity is in the catalog. What is written about one that no source has yet waits for it.'),
      errors: array(itemError),
    }),
  ),
  written: z.int(),
  unchanged: z.int(),
  refused: z.int(),
})

export function writeRoutes(app: Api, { manual }: Context): void {
  app.post(
    '/entities',
    {
      bodyLimit: 16 * 1024 * 1024,
      preValidation: async (request) => {
        const { body } = request
        Object.assign(request, { body: listed(body) })
      },
      schema: {
        tags: ['catalog'],
        summary: 'Write fields of entities, up to 1000 at a time, as the source `manual`',
        description:
          'The body is `{ "items": [...] }`, a list, or one item: `{ "blueprint", "identifier", "title"?, "team"?, "properties"?, "relations"? }`. ' +
          'A field that is not named stays as it was written before, null takes it away. Each item is judged by itself: ' +
          'the answer is 207 when some are refused.',
        querystring: z.strictObject({
          replace: z
            .enum(['true', 'false'])
            .default('false')
            .describe('true: an item is all that is written about its entity from now on.'),
        }),
        body: z.strictObject({ items: z.array(z.unknown()).min(1).max(most) }),
        response: { 200: answer, 207: answer, ...problems },
      },
    },
    async ({ body, query, who }, reply) => {
      const parsed = body.items.map((each) => item.safeParse(each))
      const good = parsed.flatMap(({ success, data }, index) => (success ? [{ index, item: data }] : []))
      // The schema's undefined members are absent ones.
      const items = good.map((each) => each.item as ManualItem)
      const put = items.length === 0 ? [] : await manual.put(items, { who, replace: query.replace === 'true' })
      const results = [
        ...put.map((each) => ({ ...each, index: good[each.index]?.index ?? each.index })),
        ...parsed.flatMap(({ error }, index) =>
          error === undefined ? [] : [malformed(index, body.items[index], error)],
        ),
      ].toSorted((a, b) => a.index - b.index)
      const count = (state: ItemResult['state']): number => results.filter((each) => each.state === state).length
      const refused = count('refused')
      void reply.code(refused === 0 ? 200 : 207)
      return { items: results, written: count('written'), unchanged: count('unchanged'), refused }
    },
  )

  app.delete(
    '/entities/:blueprint/:identifier',
    {
      schema: {
        tags: ['catalog'],
        summary: 'Take away what was written about an entity; what sources say of it stays',
        params: z.object({ blueprint: text, identifier: text }),
        response: {
          200: z.object({ reference, exists: z.boolean().describe('It is in the catalog all the same.') }),
          ...problems,
        },
      },
    },
    async ({ params, who }) => manual.remove(params, who),
  )
}

function listed(body: unknown): unknown {
  if (Array.isArray(body)) return { items: body }
  const single = typeof body === 'object' && body !== null && ('blueprint' in body || 'identifier' in body)
  return single ? { items: [body] } : body
}

function malformed(index: number, given: unknown, error: z.ZodError): ItemResult {
  const named = z.object({ blueprint: z.string(), identifier: z.string() }).safeParse(given)
  return {
    index,
    reference: named.success ? `${named.data.blueprint}:${named.data.identifier}` : '',
    state: 'refused',
    exists: false,
    errors: error.issues.flatMap((issue) =>
      mistakes(issue, given).map(({ field, detail, meant }) => ({
        code: 'item_malformed',
        ...(field === '' ? {} : { field }),
        detail,
        hint: meant ?? 'An item has blueprint and identifier, and may have title, team, properties and relations.',
      })),
    ),
  }
}

interface Mistake {
  readonly field: string
  readonly detail: string
  readonly meant?: string | undefined
}

function mistakes(issue: z.core.$ZodIssue, given: unknown): readonly Mistake[] {
  const field = issue.path.join('.')
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map((key) => ({
      field: field === '' ? key : `${field}.${key}`,
      detail: `An item has no "${key}".`,
      meant: didYouMean(key, Object.keys(item.shape)),
    }))
  const [first] = issue.path
  const absent = typeof given === 'object' && given !== null && issue.path.length === 1 && !(String(first) in given)
  if (absent) return [{ field, detail: `"${field}" is missing.` }]
  return [{ field, detail: field === '' ? issue.message : `${field}: ${issue.message}` }]
}
