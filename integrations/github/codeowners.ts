import { z } from 'zod'
import { BadAnswer, type Json, type Priority, RateLimited } from '../../core/sdk/index.ts'
import type { Client } from './client.ts'
import type { Home } from './directory.ts'
import { type OwnerRule, parseOwners } from './parse.ts'
import { read } from './schema.ts'
import { partial, reasonOf, unreadable } from './scope.ts'

/** Where GitHub looks for the file; the first that is there counts. */
export const places = ['.github/CODEOWNERS', 'CODEOWNERS', 'docs/CODEOWNERS'] as const

/** A CODEOWNERS file as GitHub reads it. */
export interface Codeowners {
  readonly path: string
  readonly sha: string
  readonly text: string
}

/** So many repositories in one query: GitHub gives each ten seconds. */
export const atOnce = 50

const query = `query($ids: [ID!]!) { nodes(ids: $ids) { ... on Repository { databaseId
${places.map((path, index) => `p${index}: object(expression: "HEAD:${path}") { ... on Blob { oid isTruncated text } }`).join('\n')} } } }`

const blob = z.object({ oid: z.string(), isTruncated: z.boolean(), text: z.string().nullable() }).partial().nullish()
const node = z.object({ databaseId: z.int(), p0: blob, p1: blob, p2: blob })
const graphql = z.object({
  data: z.object({ nodes: z.array(node.nullable()) }).nullish(),
  errors: z.array(z.looseObject({ type: z.string().optional(), message: z.string() })).optional(),
})

export interface Found {
  /** By the repository's id. Without one that has no such file. */
  readonly files: ReadonlyMap<string, Codeowners>
  /** Why this is not all. */
  readonly incomplete?: string
}

/** The files of up to fifty repositories, in one query; where there is no GraphQL, file by file. */
export async function codeownersOf(
  client: Client,
  org: string,
  homes: readonly Home[],
  { now, signal, priority }: { readonly now: number; readonly signal: AbortSignal; readonly priority: Priority },
): Promise<Found> {
  if (homes.length === 0) return { files: new Map() }
  const ids = homes.map(({ nodeId }) => nodeId)
  const what = `CODEOWNERS of ${org}`
  const answer = await client.query(org, query, { ids }, { signal, priority })
  if (answer.state === 'refused' && [404, 405].includes(answer.status)) return oneByOne(client, homes, signal)
  if (answer.state === 'refused') throw unreadable(answer, what)
  if (answer.state === 'notModified') throw new BadAnswer(`${what}: 304 to a question without If-None-Match`)
  const { data, errors = [] } = read(graphql, answer.data, what)
  const limited = errors.find(({ type }) => type === 'RATE_LIMITED')
  if (limited !== undefined) throw new RateLimited(limited.message, resetIn(answer.header('x-ratelimit-reset'), now))
  const nodes = data?.nodes
  if (nodes == null) throw new BadAnswer(`${what}: ${errors[0]?.message ?? 'no data'}`)
  const seen = new Map(nodes.flatMap((it) => (it === null ? [] : [[String(it.databaseId), it] as const])))
  const files = new Map<string, Codeowners>()
  for (const home of homes) {
    const { p0, p1, p2 } = seen.get(home.id) ?? {}
    const file = [p0, p1, p2].map((it, index) => fileOf(it, places[index])).find((it) => it !== undefined)
    if (file === 'cut off') {
      const whole = await codeownersIn(client, home, signal)
      if (typeof whole === 'string') throw new BadAnswer(whole)
      if (whole !== undefined) files.set(home.id, whole)
    } else if (file !== undefined) files.set(home.id, file)
  }
  const hidden = homes.filter(({ id }) => !seen.has(id))
  const why = errors[0]?.message ?? (hidden.length > 0 ? 'not found' : partial(answer.header))
  if (why === undefined) return { files }
  const which = hidden[0] === undefined ? '' : ` (${hidden.length} of ${homes.length}, ${hidden[0].fullName} first)`
  return { files, incomplete: `${what}${which}: ${why}` }
}

function fileOf(it: z.output<typeof blob>, path = ''): Codeowners | 'cut off' | undefined {
  // A folder of that name has none of the three.
  if (it?.oid === undefined) return undefined
  if (it.isTruncated === true || typeof it.text !== 'string') return 'cut off'
  return { path, sha: it.oid, text: it.text }
}

const resetIn = (header: string | undefined, now: number): number =>
  header !== undefined && /^\d+$/.test(header) ? Math.max(Number(header) * 1000, now + 1000) : now + 60_000

async function oneByOne(client: Client, homes: readonly Home[], signal: AbortSignal): Promise<Found> {
  const files = new Map<string, Codeowners>()
  for (const home of homes) {
    const file = await codeownersIn(client, home, signal)
    if (typeof file === 'string') return { files, incomplete: file }
    if (file !== undefined) files.set(home.id, file)
  }
  return { files }
}

const contents = z.looseObject({
  sha: z.string(),
  encoding: z.string().default(''),
  content: z.string().default(''),
})

/** Of one repository, by up to three questions. Undefined: it has none. A text: why it cannot be told. */
async function codeownersIn(client: Client, home: Home, signal: AbortSignal): Promise<Codeowners | string | undefined> {
  for (const path of places) {
    const params = { id: home.id, path }
    const answer = await client.ask('GET /repositories/{id}/contents/{+path}', params, { signal })
    if (answer.state === 'notModified') return 'unexpected 304'
    if (answer.state === 'refused') {
      if (answer.status === 404) continue
      return reasonOf(answer, `${path} of ${home.fullName}`)
    }
    // A folder of that name answers with a list.
    if (Array.isArray(answer.data)) continue
    const { sha, encoding, content } = read(contents, answer.data, `${path} of ${home.fullName}`)
    // GitHub itself reads none of more than three megabytes.
    if (encoding !== 'base64') return `${path} of ${home.fullName} is too large`
    return { path, sha, text: Buffer.from(content, 'base64').toString('utf8') }
  }
  return undefined
}

/** What mapping files read of it. Owners are as the file writes them: `@acme/payments`, `@mei-tanaka`, `mei@acme.example`. */
export function itemOf(file: Codeowners, home: Home): Json {
  const rules = parseOwners(file.text)
  const owners = [...new Set(rules.flatMap((rule) => rule.owners))]
  const rest = rules.findLast(isForAll)?.owners ?? []
  return {
    path: file.path,
    sha: file.sha,
    owners,
    // Of what no other rule is about.
    default_owners: rest,
    teams: teamsOf(owners),
    // Where no rule is about everything, whoever owns something.
    owning_teams: teamsOf(rest.length > 0 ? rest : owners),
    rules: rules.map((rule) => ({ ...rule })),
    __repository: home.name,
    __organization: home.owner,
    __repository_object: home.body,
  }
}

const teamsOf = (owners: readonly string[]): string[] =>
  owners.flatMap((owner) => /^@([^/]+\/.+)$/.exec(owner)?.[1] ?? [])

const isForAll = ({ pattern }: OwnerRule): boolean => ['*', '/*', '**', '/**', '/', '**/*', '/**/*'].includes(pattern)
