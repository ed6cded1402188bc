import { z } from 'zod'
import { decodeCursor, encodeCursor, page } from '../../core/catalog/query/cursor.ts'
import { getVersion, listVersions, type VersionRow } from '../../core/catalog/versions.ts'
import { textDiff } from '../../core/plan/text-diff.ts'
import type { MappingContent } from '../../core/sync/engine.ts'
import type { Api, Context } from '../context.ts'
import { array, id, list, object, paging, problems, text, time } from './schemas.ts'

const version = z
  .object({
    version: z.int(),
    source: z.string(),
    hash: z.string(),
    file: z.string(),
    active: z.boolean(),
    blueprints: array(z.string()),
    activations: array(
      z.object({
        at: time,
        who: z.string(),
        how: z.enum(['start', 'apply', 'rollback', 'engine']),
        plan: z.string().nullable(),
      }),
    ).describe('Each time that it became the active one, newest first.'),
  })
  .meta({ id: 'MappingVersion' })

export function mappingRoutes(app: Api, { db }: Context): void {
  app.get(
    '/mappings',
    {
      schema: {
        tags: ['plans'],
        summary: 'Versions of mappings and blueprints: who made which the active one, and when',
        querystring: z.strictObject({ source: text.optional(), ...paging }),
        response: { 200: list(version), ...problems },
      },
    },
    async ({ query: { source, limit, cursor } }) => {
      const shape = source === undefined ? {} : { source }
      const before = cursor === undefined ? {} : { before: decodeCursor(shape, cursor, 1)[0] ?? '0' }
      const rows = await listVersions(db, { ...shape, ...before, limit: limit + 1 })
      return page(rows, limit, view, (last) => encodeCursor(shape, [String(last.id)]))
    },
  )

  app.get(
    '/mappings/:version',
    {
      schema: {
        tags: ['plans'],
        summary: 'One version, with its files',
        params: z.object({ version: id }),
        response: { 200: version.extend({ content: object }), ...problems },
      },
    },
    async ({ params }) => {
      const row = await getVersion(db, params.version)
      return { ...view(row), content: { ...contentOf(row) } }
    },
  )

  app.get(
    '/mappings/:version/diff/:other',
    {
      schema: {
        tags: ['plans'],
        summary: 'What differs between two versions, as unified diffs',
        params: z.object({ version: id, other: id }),
        response: {
          200: z.object({
            before: z.int(),
            after: z.int(),
            mapping: z.string(),
            blueprints: z.string(),
            settings: z.string().describe('Variables, and what is kept of records.'),
          }),
          ...problems,
        },
      },
    },
    async ({ params }) => {
      const [before, after] = [await getVersion(db, params.version), await getVersion(db, params.other)]
      const [a, b] = [contentOf(before), contentOf(after)]
      return {
        before: before.id,
        after: after.id,
        mapping: textDiff(a.mapping, b.mapping),
        blueprints: textDiff(pretty(a.blueprints), pretty(b.blueprints)),
        settings: textDiff(pretty(settings(a)), pretty(settings(b))),
      }
    },
  )
}

function view(row: VersionRow): z.infer<typeof version> {
  const { file, blueprints } = contentOf(row)
  const { id: number, source, hash, active, activations } = row
  const names = (blueprints as readonly { readonly identifier?: string }[]).map(({ identifier = '' }) => identifier)
  return { version: number, source, hash, file, active, blueprints: names, activations: [...activations] }
}

/** Written by `activateMapping` from a MappingContent. */
function contentOf({ content }: VersionRow): MappingContent {
  const empty = { file: '', mapping: '', blueprints: [], variables: {} }
  return { ...empty, ...(content as unknown as Partial<MappingContent>) }
}

function settings({ variables }: MappingContent): object {
  return { variables }
}

function pretty(value: unknown): string {
  return JSON.stringify(value, null, 2)
}
