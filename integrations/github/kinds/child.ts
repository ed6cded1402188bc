import { hash } from 'node:crypto'
import { BadAnswer, type Got, type Json, type JsonObject, type Kind, type Locator } from '../../../core/sdk/index.ts'
import type { Client, Params } from '../client.ts'
import type { Directory, Home } from '../directory.ts'
import { nextPage, pages } from '../pages.ts'
import { type GithubConfig, orderable } from '../schema.ts'
import { isArray, reasonOf, unreadable } from '../scope.ts'
import { numberIn, objectOf, pickObject, type Shape, textIn } from '../shape.ts'
import type { Wants } from '../wants.ts'

/** What is listed repository by repository. One table of these is the registry, the documentation and the test. */
export interface ChildSpec {
  readonly name: string
  readonly coverage: Kind['coverage'] | ((wants: Wants) => Kind['coverage'])
  readonly paging: Kind['paging']
  /** Below /repositories/{id}. */
  readonly path: string
  readonly params?: (wants: Wants) => Params
  readonly wrapped?: string
  /** It lies one step deeper: below each of what is listed, which moves with it. The address below /repositories/{id}. */
  readonly below?: (item: JsonObject) => { readonly path: string; readonly params: Params }
  /** So many pages at most. */
  readonly atMost?: (wants: Wants, pageSize: number) => number
  /** Nothing of it changes without a push, so an unchanged `pushed_at` spares the question. */
  readonly byPush?: true
  readonly shape: { readonly [field: string]: Shape }
  /** Its immutable id within the repository. Throws BadAnswer. */
  readonly id: (item: JsonObject) => string
  /** A timestamp that moves with every change. Absent: it has none. */
  readonly version?: (item: JsonObject) => Json | undefined
  /** What is needed to ask for it beside its id. */
  readonly locator?: (item: JsonObject) => Locator
  /** The address of one, below /repositories/{id}; undefined: it cannot be asked for by what is known. */
  readonly one: (id: string, locator: Locator) => { readonly path: string; readonly params: Params } | undefined
  /** Where there is no address of one: all of them are listed, and this one is looked for. */
  readonly among?: true
  /** False for what the listing holds beside it (pull requests among issues). */
  readonly is?: (item: JsonObject) => boolean
  /** Is it in what the mapping files want at all? Decides with `get`, too: what nobody wants is gone from here. */
  readonly wanted?: (item: JsonObject, wants: Wants) => boolean
  /** Does this mapping want it? Its selector's fields beside `query`. Pure. */
  readonly selects?: (item: JsonObject, selector: JsonObject) => boolean
  /** Fields beside those of GitHub, made from them. */
  readonly more?: (item: JsonObject, home: Home) => JsonObject
}

export interface ChildParts {
  readonly config: GithubConfig
  readonly client: Client
  readonly directory: Directory
  readonly wants: Wants
  readonly now: () => number
}

/** An item with what its repository adds to it: other products' mapping files read these names. */
export function withHome(spec: ChildSpec, raw: Json, home: Home): Json {
  const item = objectOf(raw, spec.name)
  return {
    ...item,
    ...spec.more?.(item, home),
    __repository: home.name,
    __organization: home.owner,
    __repository_object: home.body,
  }
}

const added: { readonly [field: string]: Shape } = {
  __repository: true,
  __organization: true,
  __repository_object: true,
}

const repositoryId = (item: JsonObject, what: string): string => numberIn(item, ['__repository_object', 'id'], what)

export const keyOfChild = (repository: string, id: string): string => `${repository}/${id}`

/** Keys are the repository's id and the object's own within it. */
function partsOf(key: string): { readonly repository: string; readonly id: string } | undefined {
  const [, repository, id] = /^(\d+)\/(.+)$/s.exec(key) ?? []
  return repository === undefined || id === undefined ? undefined : { repository, id }
}

/** Two minutes: a push in the second of the last look would not move `pushed_at` further. */
const settled = 120_000

export function gateOf(home: Home, now: number): string | undefined {
  const pushed = Date.parse(home.pushedAt ?? '')
  return now - pushed > settled ? home.pushedAt : undefined
}

export const stampOf = (...what: readonly unknown[]): string => hash('sha1', JSON.stringify(what)).slice(0, 16)

export function childKind(spec: ChildSpec, parts: ChildParts): Kind {
  const { client, directory, wants, config } = parts
  const shape = { ...spec.shape, ...added }
  const { name: what } = spec
  const wanted = (item: JsonObject): boolean => spec.is?.(item) !== false && spec.wanted?.(item, wants) !== false
  const canonical = (item: Json): JsonObject => {
    const object = objectOf(item, what)
    repositoryId(object, what)
    spec.id(object)
    return pickObject(object, shape)
  }
  const { version, selects } = spec
  return {
    name: spec.name,
    coverage: typeof spec.coverage === 'function' ? spec.coverage(wants) : spec.coverage,
    paging: spec.paging,
    canonical,
    key(item) {
      const object = objectOf(item, what)
      return keyOfChild(repositoryId(object, what), spec.id(object))
    },
    ...(version === undefined
      ? {}
      : {
          version(item: Json) {
            const time = version(objectOf(item, what))
            return typeof time === 'string' ? orderable(time) : undefined
          },
        }),
    locator: (item) => spec.locator?.(objectOf(item, what)) ?? {},
    ...(selects === undefined ? {} : { selects: (item, selector) => selects(objectOf(item, what), selector) }),
    partitions: (signal) => directory.partitions(signal),
    async *list(request) {
      request.signal.throwIfAborted()
      const home = await directory.home(request.partition, request.signal)
      const params = spec.params?.(wants) ?? {}
      const listing = {
        route: `GET /repositories/{id}/${spec.path}`,
        params: { ...params, id: home.id },
        pageSize: config.pageSize,
        what: `${spec.name} of ${request.partition.name}`,
        ...(spec.wrapped === undefined ? {} : { wrapped: spec.wrapped }),
        ...(spec.atMost === undefined ? {} : { atMost: spec.atMost(wants, config.pageSize) }),
        ...(spec.below === undefined
          ? { item: (raw: Json) => (wanted(objectOf(raw, what)) ? withHome(spec, raw, home) : undefined) }
          : { many: (raw: Json) => deeper(spec, parts, objectOf(raw, what), home, request.signal) }),
        stamp: stampOf(home.body, params),
        gate: spec.byPush ? gateOf(home, parts.now()) : undefined,
      }
      yield* pages(client, listing, request)
    },
    async get(key, locator, _partition, signal): Promise<Got> {
      const asked = partsOf(key)
      if (asked === undefined) return { state: 'gone' }
      const home = await directory.byId(asked.repository, signal)
      // A repository that is gone takes its children with it by itself; here nothing is known of them.
      if (typeof home === 'string') return { state: 'unknown', reason: home }
      const raw = await oneOf(spec, parts, asked, locator, home, signal)
      if (raw === 'gone' || 'state' in raw) return raw === 'gone' ? { state: 'gone' } : raw
      const item = withHome(spec, raw.item, home)
      const object = objectOf(item, what)
      if (!wanted(object)) return { state: 'gone' }
      if (spec.id(object) !== asked.id)
        return { state: 'unknown', reason: `${spec.name} ${key} answered as another one` }
      return { state: 'present', body: item }
    },
  }
}

/** All that lies below one. What went since it was listed holds nothing. */
async function deeper(
  spec: ChildSpec,
  { client, config }: ChildParts,
  above: JsonObject,
  home: Home,
  signal: AbortSignal,
): Promise<readonly Json[]> {
  const below = spec.below?.(above)
  if (below === undefined) return []
  const found: Json[] = []
  const what = `${spec.name} of ${home.fullName}`
  for (let page: string | undefined = '1'; page !== undefined; ) {
    const params = { ...below.params, id: home.id, per_page: config.pageSize, page }
    const answer = await client.ask(`GET /repositories/{id}/${below.path}`, params, { signal, priority: 'scan' })
    if (answer.state === 'refused' && answer.status === 404) return []
    if (answer.state === 'refused') throw unreadable(answer, what)
    if (answer.state === 'notModified' || !isArray(answer.data)) throw new BadAnswer(`${what}: $: expected an array`)
    found.push(...answer.data.map((raw) => withHome(spec, raw, home)))
    page = nextPage(answer.header('link'), what)
  }
  return found
}

async function oneOf(
  spec: ChildSpec,
  { client, wants, config }: ChildParts,
  { repository, id }: { readonly repository: string; readonly id: string },
  locator: Locator,
  home: Home,
  signal: AbortSignal,
): Promise<{ readonly item: Json } | 'gone' | Extract<Got, { state: 'unknown' }>> {
  const one = spec.one(id, locator)
  if (one !== undefined) {
    const answer = await client.ask(`GET /repositories/{id}/${one.path}`, { ...one.params, id: repository }, { signal })
    if (answer.state === 'ok') {
      const found = objectOf(answer.data, spec.name)
      // Found by a name that may be another's by now: then all are looked through.
      if (spec.among !== true || spec.id({ ...found, __repository_object: home.body }) === id) return { item: found }
    } else if (answer.state === 'notModified') return { state: 'unknown', reason: 'unexpected 304' }
    else if (answer.status !== 404 && answer.status !== 410 && answer.status !== 409) {
      return { state: 'unknown', reason: reasonOf(answer, `${spec.name} ${repository}/${id}`) }
    } else if (spec.among !== true) return 'gone'
  }
  if (spec.among !== true) return 'gone'
  const listing = {
    route: `GET /repositories/{id}/${spec.path}`,
    params: { ...spec.params?.(wants), id: repository },
    pageSize: config.pageSize,
    what: `${spec.name} of ${home.fullName}`,
    ...(spec.wrapped === undefined ? {} : { wrapped: spec.wrapped }),
  }
  const partition = { name: home.fullName, parent: { kind: 'repository', key: repository } }
  for await (const page of pages(client, listing, { partition, signal, known: () => undefined })) {
    for (const item of page.items) {
      if (spec.id({ ...objectOf(item, spec.name), __repository_object: home.body }) === id) return { item }
    }
    if (page.incomplete !== undefined) return { state: 'unknown', reason: page.incomplete }
  }
  return 'gone'
}

/** For tables: the id is a number of GitHub's. */
export const byNumber =
  (field: string, what: string) =>
  (item: JsonObject): string =>
    numberIn(item, [field], what)

/** For tables: the id is a name, which GitHub keeps unique within the repository. */
export const byName =
  (field: string, what: string) =>
  (item: JsonObject): string =>
    textIn(item, [field], what)
