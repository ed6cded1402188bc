import type { Explanation } from '../../../core/catalog/query/explanation.ts'
import type { EntityView } from '../../../core/catalog/query/view.ts'
import type { Blueprint } from '../../../core/model/blueprint.ts'
import { CatchmentError } from '../../../core/sdk/index.ts'
import type { Client } from '../client.ts'
import { type Comparison, compareText, type Explained } from '../compare/compare-text.ts'
import { compareCatalogs, type Difference } from '../compare/differ.ts'
import { readExport } from '../compare/theirs.ts'
import { print, printJson } from '../output.ts'
import { usage } from '../run.ts'

export interface CompareOptions {
  readonly blueprint: readonly string[]
  readonly ignore: readonly string[]
  readonly limit?: string
  readonly json: boolean
}

/** Entities exported from another catalog beside ours. Exit status 4 when they differ. */
export async function compare(client: Client, file: string, options: CompareOptions): Promise<number> {
  const limit = limitOf(options)
  const { format, entities } = readExport(file)
  const blueprints = await allBlueprints(client)
  const named = [...new Set(entities.map(({ blueprint }) => blueprint))].sort()
  for (const name of options.blueprint)
    if (!named.includes(name) && !blueprints.has(name)) throw blueprintUnknown(name, named)
  const chosen = options.blueprint.length === 0 ? named : options.blueprint
  const theirs = entities.filter(({ blueprint }) => chosen.includes(blueprint))
  const ours = (
    await Promise.all(chosen.filter((name) => blueprints.has(name)).map(async (name) => entitiesOf(client, name)))
  ).flat()
  const { equal, differing, onlyThere, onlyHere } = compareCatalogs(theirs, ours, blueprints, new Set(options.ignore))
  const failed = new Map(ours.map((entity) => [entity.reference, entity]))
  const comparison: Comparison = {
    file,
    format,
    counts: {
      there: theirs.length,
      here: ours.length,
      equal: equal.length,
      differing: differing.length,
      onlyThere: onlyThere.length,
      onlyHere: onlyHere.length,
    },
    blueprints: chosen.map((blueprint) => {
      const of = (references: readonly string[]): number =>
        references.filter((reference) => reference.startsWith(`${blueprint}:`)).length
      const names = differing.map(({ reference }) => reference)
      const [same, other, there, here] = [of(equal), of(names), of(onlyThere), of(onlyHere)]
      return { blueprint, equal: same, differing: other, onlyThere: there, onlyHere: here }
    }),
    equal,
    differing: await explained(client, differing, limit, ({ reference, differences }, explanation) => ({
      reference,
      differences: differences.map((one) => ({
        ...one,
        why: whyOther(reference, one, failed.get(reference), explanation),
      })),
      next: `catchment explain ${quoted(reference)}`,
    })),
    onlyThere: await explained(
      client,
      onlyThere.map((reference) => ({ reference })),
      limit,
      (one, explanation) => absent(one.reference, blueprints, explanation),
    ),
    onlyHere: await explained(
      client,
      onlyHere.map((reference) => ({ reference })),
      limit,
      ({ reference }, explanation) => ({
        reference,
        why: explanation === undefined ? null : present(explanation),
        next: `catchment explain ${quoted(reference)}`,
      }),
    ),
  }
  if (options.json) printJson(comparison)
  else print(compareText(comparison, limit))
  return differing.length + onlyThere.length + onlyHere.length > 0 ? 4 : 0
}

/** How many of each group are explained: on a terminal twenty, for programs all. */
function limitOf({ limit, json }: CompareOptions): number {
  if (limit === undefined) return json ? Number.POSITIVE_INFINITY : 20
  if (!/^\d+$/.test(limit)) throw usage(`--limit ${limit}: expected a whole number.`)
  return Number(limit)
}

async function allBlueprints(client: Client): Promise<ReadonlyMap<string, Blueprint>> {
  const all = new Map<string, Blueprint>()
  // The shapes are the server's own, of the same version.
  const { items } = (await client.get('/api/v1/blueprints')) as { items: readonly { readonly identifier: string }[] }
  for (const { identifier } of items)
    all.set(identifier, (await client.get(`/api/v1/blueprints/${encodeURIComponent(identifier)}`)) as Blueprint)
  return all
}

async function entitiesOf(client: Client, blueprint: string): Promise<EntityView[]> {
  const all: EntityView[] = []
  const path = `/api/v1/entities?limit=1000&blueprint=${encodeURIComponent(blueprint)}`
  for await (const one of itemsOf<EntityView>(client, path)) all.push(one)
  return all
}

async function* itemsOf<T>(client: Client, path: string): AsyncGenerator<T> {
  for (let cursor: string | undefined = ''; cursor !== undefined; ) {
    const at: string = cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`
    // The shape is the server's own, of the same version.
    const answer = (await client.get(`${path}${at}`)) as { items: readonly T[]; next?: string }
    yield* answer.items
    cursor = answer.next
  }
}

/** Asks why, of the first `limit`; a few at the same time. */
async function explained<T extends { readonly reference: string }, R>(
  client: Client,
  items: readonly T[],
  limit: number,
  say: (item: T, explanation: Explanation | undefined) => R,
): Promise<R[]> {
  const said: R[] = []
  for (let from = 0; from < items.length; from += 8) {
    const some = items.slice(from, from + 8).map(async (item, index) => {
      if (from + index >= limit) return say(item, undefined)
      const query = new URLSearchParams({ reference: item.reference }).toString()
      // The shape is the server's own, of the same version.
      return say(item, (await client.get(`/api/v1/explain?${query}`)) as Explanation)
    })
    said.push(...(await Promise.all(some)))
  }
  return said
}

/** Why a field is here as it is. */
function whyOther(
  reference: string,
  { field, known }: Difference,
  ours: EntityView | undefined,
  explanation: Explanation | undefined,
): string | null {
  const failed = ours?.failed.find((problem) => problem.field === field)
  if (failed !== undefined) return `${failed.expression} failed: ${failed.message}; it keeps its last good value`
  if (!known) {
    const [family] = field.split('.')
    const what = family === 'relations' ? 'relation' : 'property'
    const later = what === 'property' ? '; calculation, mirror and aggregation properties wait for a later release' : ''
    return `the blueprint ${reference.slice(0, reference.indexOf(':'))} has no such ${what} here${later}`
  }
  if (explanation === undefined) return null
  const from = explanation.fields.find((one) => one.field === field)
  if (from !== undefined) {
    const { source, kind, key, expression, file, line, mapping, freshness } = from
    const place = file === undefined ? mapping : `${file}${line === undefined ? '' : `:${line}`}`
    return `${source}/${kind}/${key} says so by ${expression ?? mapping} (${place}); ${freshness}`
  }
  const [first] = explanation.contributions
  if (first === undefined) return 'nothing says it here'
  return `nothing says it here: ${first.source}/${first.kind}/${first.key} gives none by ${first.mapping}`
}

function absent(
  reference: string,
  blueprints: ReadonlyMap<string, Blueprint>,
  explanation: Explanation | undefined,
): Explained {
  const blueprint = reference.slice(0, reference.indexOf(':'))
  const [next = `catchment explain ${quoted(reference)}`] = explanation?.next ?? []
  const why = blueprints.has(blueprint) ? (explanation?.summary ?? null) : `there is no blueprint ${blueprint} here`
  return { reference, cause: explanation?.cause ?? null, why, next }
}

/** Where an entity that only we have comes from. */
function present({ contributions, summary }: Explanation): string {
  const from = contributions.find(({ owning }) => owning) ?? contributions[0]
  if (from === undefined) return summary
  return `${from.source}/${from.kind}/${from.key} makes it by ${from.mapping}`
}

const quoted = (reference: string): string => (/^[\w:@%+=,./-]+$/.test(reference) ? reference : `'${reference}'`)

function blueprintUnknown(name: string, named: readonly string[]): CatchmentError {
  return new CatchmentError(`There is no blueprint ${name}, neither here nor in the export.`, {
    code: 'blueprint_unknown',
    exitCode: 2,
    hint: `The export has: ${named.join(', ')}.`,
  })
}
