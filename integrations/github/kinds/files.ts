import { z } from 'zod'
import {
  type Got,
  type Json,
  type JsonObject,
  type Kind,
  type ListRequest,
  type Page,
} from '../../../core/sdk/index.ts'
import type { Answer } from '../client.ts'
import type { Home } from '../directory.ts'
import { fits } from '../glob.ts'
import { isCodeowners, parseFile, parseOwners } from '../parse.ts'
import { read } from '../schema.ts'
import { reasonOf, unreadable } from '../scope.ts'
import { numberIn, objectOf, pickObject, type Shape, textIn } from '../shape.ts'
import { type ChildParts, gateOf, keyOfChild, stampOf } from './child.ts'
import { branchesOf, concerns, idOf, selectsPath } from './paths.ts'

const tree = z.object({
  truncated: z.boolean().default(false),
  tree: z.array(
    z.object({
      path: z.string(),
      mode: z.string(),
      type: z.string(),
      sha: z.string(),
      size: z.int().optional(),
      url: z.string().nullish(),
    }),
  ),
})
type Entry = z.output<typeof tree>['tree'][number]

const blob = z.object({ content: z.string(), encoding: z.string() })

/** Larger ones are listed without their content. */
const contentAtMost = 512 * 1024

/** A file or folder of a branch; the two kinds differ in what they take and make of it. */
export interface TreeSpec {
  readonly name: 'file' | 'folder'
  readonly takes: 'blob' | 'tree'
  readonly shape: { readonly [field: string]: Shape }
  /** Where an item has its repository, branch and path. */
  readonly repository: readonly string[]
  readonly branch: readonly string[]
  readonly path: readonly string[]
  /** Undefined: its content cannot be read now; the reason is in the exception. */
  readonly make: (entry: Entry, at: Place, parts: ChildParts, signal: AbortSignal) => Promise<Json>
}

interface Place {
  readonly home: Home
  readonly branch: string
  /** Of the mappings that want it. */
  readonly raw: boolean
}

const full = (home: Home): JsonObject => objectOf(home.body, 'repository')

async function fileOf(
  entry: Entry,
  { home, branch, raw }: Place,
  parts: ChildParts,
  signal: AbortSignal,
): Promise<Json> {
  const text = (entry.size ?? 0) > contentAtMost ? undefined : await textOf(entry.sha, home, parts, signal)
  const content = text === undefined ? null : raw ? text : parseFile(entry.path, text)
  return {
    content,
    owners: text !== undefined && isCodeowners(entry.path) ? parseOwners(text).map((rule) => ({ ...rule })) : null,
    repository: full(home),
    organization: home.owner,
    branch,
    path: entry.path,
    name: entry.path.split('/').at(-1) ?? entry.path,
    metadata: { url: addressOf(home, branch, entry.path), path: entry.path, size: entry.size ?? null, sha: entry.sha },
    __repository: home.name,
    __organization: home.owner,
  }
}

function addressOf(home: Home, branch: string, path: string): string | null {
  const { url } = full(home)
  return typeof url === 'string' ? `${url}/contents/${path}?ref=${branch}` : null
}

async function textOf(sha: string, home: Home, { client }: ChildParts, signal: AbortSignal): Promise<string> {
  const answer = await client.ask(
    'GET /repositories/{id}/git/blobs/{sha}',
    { id: home.id, sha },
    { signal, priority: 'scan' },
  )
  if (answer.state !== 'ok') throw unreadable(refusedOf(answer), `a file of ${home.fullName}`)
  const { content, encoding } = read(blob, answer.data, 'file')
  return encoding === 'base64' ? Buffer.from(content, 'base64').toString('utf8') : content
}

const refusedOf = (answer: Exclude<Answer, { state: 'ok' }>): Extract<Answer, { state: 'refused' }> =>
  answer.state === 'refused'
    ? answer
    : { state: 'refused', status: 304, message: 'unexpected 304', header: answer.header }

export const fileSpec: TreeSpec = {
  name: 'file',
  takes: 'blob',
  shape: {
    content: true,
    owners: true,
    repository: true,
    organization: true,
    branch: true,
    path: true,
    name: true,
    metadata: true,
    __repository: true,
    __organization: true,
  },
  repository: ['repository'],
  branch: ['branch'],
  path: ['path'],
  make: fileOf,
}

export const folderSpec: TreeSpec = {
  name: 'folder',
  takes: 'tree',
  shape: {
    folder: { path: true, mode: true, type: true, sha: true, url: true },
    __repository: true,
    __organization: true,
    __branch: true,
  },
  repository: ['__repository'],
  branch: ['__branch'],
  path: ['folder', 'path'],
  make: (entry, { home, branch }) =>
    Promise.resolve({
      folder: { path: entry.path, mode: entry.mode, type: entry.type, sha: entry.sha, url: entry.url ?? null },
      __repository: full(home),
      __organization: home.owner,
      __branch: branch,
    }),
}

export function treeKind(spec: TreeSpec, parts: ChildParts): Kind {
  const { client, directory, wants } = parts
  const wanted = spec.name === 'file' ? wants.files : wants.folders
  const idIn = (item: JsonObject): { readonly repository: string; readonly id: string } => ({
    repository: numberIn(item, [...spec.repository, 'id'], spec.name),
    id: idOf(
      textIn(item, spec.path, spec.name),
      textIn(item, spec.branch, spec.name),
      textIn(item, [...spec.repository, 'default_branch'], spec.name),
    ),
  })

  async function treeAt(home: Home, branch: string, signal: AbortSignal, etag?: string): Promise<Answer> {
    const params = { id: home.id, branch, recursive: 1 }
    return client.ask('GET /repositories/{id}/git/trees/{branch}', params, { signal, priority: 'scan', etag })
  }

  async function itemsAt(home: Home, branch: string, data: Json, signal: AbortSignal): Promise<Read> {
    const what = `files of ${home.fullName}`
    const { tree: entries, truncated } = read(tree, data, what)
    const items: Json[] = []
    for (const entry of entries) {
      if (entry.type !== spec.takes) continue
      const here = wanted.filter(
        (want) => concerns(want, home) && branchesOf(want, home).includes(branch) && fits(want.path, entry.path),
      )
      if (here.length === 0) continue
      items.push(await spec.make(entry, { home, branch, raw: here.every(({ raw }) => raw) }, parts, signal))
    }
    return { items, ...(truncated ? { incomplete: `${what}: GitHub shows only a part of so many` } : {}) }
  }

  return {
    name: spec.name,
    coverage: 'complete',
    paging: 'stable',
    canonical(item) {
      const object = objectOf(item, spec.name)
      idIn(object)
      return pickObject(object, spec.shape)
    },
    key(item) {
      const { repository, id } = idIn(objectOf(item, spec.name))
      return keyOfChild(repository, id)
    },
    locator: () => ({}),
    selects: (item, selector) => selectsPath(spec, objectOf(item, spec.name), selector),
    partitions: (signal) => directory.partitions(signal),
    async *list(request) {
      request.signal.throwIfAborted()
      yield* listTree(request)
    },
    async get(key, _locator, _partition, signal): Promise<Got> {
      const [, repository, id] = /^(\d+)\/(.+)$/s.exec(key) ?? []
      if (repository === undefined || id === undefined) return { state: 'gone' }
      const home = await directory.byId(repository, signal)
      if (typeof home === 'string') return { state: 'unknown', reason: home }
      const branches = new Set(wanted.filter((want) => concerns(want, home)).flatMap((want) => branchesOf(want, home)))
      const branch =
        [...branches].find((one) => one !== home.defaultBranch && id.startsWith(`${one}:`)) ?? home.defaultBranch
      if (!branches.has(branch)) return { state: 'gone' }
      const answer = await treeAt(home, branch, signal)
      if (answer.state !== 'ok') {
        const refused = refusedOf(answer)
        if (noTree.includes(refused.status)) return { state: 'gone' }
        return { state: 'unknown', reason: reasonOf(refused, `files of ${home.fullName}`) }
      }
      const path = branch === home.defaultBranch ? id : id.slice(branch.length + 1)
      const { tree: entries, truncated } = read(tree, answer.data, `files of ${home.fullName}`)
      const entry = entries.find((it) => it.path === path && it.type === spec.takes)
      const here = wanted.filter((want) => concerns(want, home) && fits(want.path, path))
      if (entry === undefined && truncated)
        return { state: 'unknown', reason: 'GitHub shows only a part of so many files' }
      if (entry === undefined || here.length === 0) return { state: 'gone' }
      const body = await spec.make(entry, { home, branch, raw: here.every(({ raw }) => raw) }, parts, signal)
      return { state: 'present', body }
    },
  }

  /** A page for each branch that somebody wants: its tree, and the content of the files that are wanted of it. */
  async function* listTree(request: ListRequest): AsyncGenerator<Page> {
    const home = await directory.home(request.partition, request.signal)
    const branches = [
      ...new Set(wanted.filter((want) => concerns(want, home)).flatMap((want) => branchesOf(want, home))),
    ].sort()
    const stamp = stampOf(home.body, wanted)
    const gate = gateOf(home, parts.now())
    const last = Math.max(branches.length, 1)
    for (let page = Number(request.from ?? '1'); page <= last; page += 1) {
      const cursor = String(page)
      const next = page < last ? { next: String(page + 1) } : {}
      const branch = branches[page - 1]
      if (branch === undefined) {
        yield { cursor, items: [], ...next }
        continue
      }
      const before = remembered(request.known(cursor)?.validator, stamp)
      const fresh = (etag: string | undefined): { validator?: string } =>
        etag === undefined ? {} : { validator: JSON.stringify({ etag, stamp, gate }) }
      if (before !== undefined && gate !== undefined && before.gate === gate) {
        yield { cursor, items: [], notModified: true, ...fresh(before.etag), ...next }
        continue
      }
      const answer = await treeAt(home, branch, request.signal, before?.etag)
      if (answer.state === 'notModified' && before !== undefined)
        yield { cursor, items: [], notModified: true, ...fresh(before.etag), ...next }
      else if (answer.state === 'ok') {
        const got = await itemsAt(home, branch, answer.data, request.signal)
        yield { cursor, ...got, ...fresh(answer.header('etag')), ...next }
      } else {
        const refused = refusedOf(answer)
        if (!noTree.includes(refused.status) || (await gone(home, request.signal)))
          throw unreadable(refused, `files of ${home.fullName}`)
        yield { cursor, items: [], ...next }
      }
    }
  }

  async function gone(home: Home, signal: AbortSignal): Promise<boolean> {
    return typeof (await directory.byId(home.id, signal)) === 'string'
  }
}

interface Read {
  readonly items: readonly Json[]
  readonly incomplete?: string
}

/** A repository without a commit, or a branch that is not there. */
const noTree: readonly number[] = [404, 409]

const validator = z.object({ etag: z.string(), stamp: z.string(), gate: z.string().optional() })

function remembered(text: string | undefined, stamp: string): z.output<typeof validator> | undefined {
  if (text === undefined || !text.startsWith('{')) return undefined
  const known = validator.safeParse(JSON.parse(text))
  return known.success && known.data.stamp === stamp ? known.data : undefined
}
