import { z } from 'zod'
import { BadAnswer, isObject, type Json, type JsonObject, type Priority } from '../../../core/sdk/index.ts'
import { homeOf } from '../directory.ts'
import { nextPage } from '../pages.ts'
import { read } from '../schema.ts'
import { isArray, unreadable } from '../scope.ts'
import { objectOf, pick } from '../shape.ts'
import { type ChildParts, stampOf } from './child.ts'
import { person } from './people.ts'

/** What mapping files ask for beside a repository: files of it, its teams, its collaborators. A request for each of them. */
export interface Extras {
  /** Changes with what is asked for. Empty: nothing. */
  readonly stamp: string
  /** The fields beside GitHub's own that an item has, in fixed order. */
  kept(item: Json): JsonObject
  add(item: Json, signal: AbortSignal, priority: Priority): Promise<Json>
  /** For a listing of repositories. */
  listing(signal: AbortSignal): { item?: (item: Json) => Promise<Json>; stamp?: string }
}

const content = z.object({ content: z.string().default(''), encoding: z.string().default('') })

/** So many repositories' extras are remembered: those of a few organisations, and never more than some megabytes. */
const rememberedAtMost = 5000

export function createExtras(parts: ChildParts): Extras {
  const { client, config, wants } = parts
  const { includedFiles, repositoryTeams, repositoryCollaborators } = wants
  const nothing = includedFiles.length === 0 && !repositoryTeams && !repositoryCollaborators
  const stamp = nothing ? '' : stampOf(includedFiles, repositoryTeams, repositoryCollaborators)
  /** Of files by the push they were read after, so that a page with one changed repository does not ask for all of them. */
  const files = new Map<string, { readonly pushed: string; readonly files: JsonObject }>()

  async function filesOf(item: Json, signal: AbortSignal, priority: Priority): Promise<JsonObject> {
    const home = homeOf(item)
    const known = files.get(home.id)
    if (known !== undefined && known.pushed === home.pushedAt) return known.files
    const found: Record<string, Json> = {}
    for (const path of includedFiles) {
      const params = { id: home.id, path }
      const answer = await client.ask('GET /repositories/{id}/contents/{+path}', params, { signal, priority })
      if (answer.state === 'ok') found[path] = textOf(answer.data)
      else if (answer.state === 'refused' && answer.status === 404) found[path] = null
      else if (answer.state === 'refused') throw unreadable(answer, `${path} of ${home.fullName}`)
    }
    // A push in the second of this look would not move `pushed_at`.
    if (home.pushedAt !== undefined && parts.now() - Date.parse(home.pushedAt) > 120_000) {
      if (files.size >= rememberedAtMost) files.clear()
      files.set(home.id, { pushed: home.pushedAt, files: found })
    }
    return found
  }

  async function all(item: Json, of: string, signal: AbortSignal, priority: Priority): Promise<readonly Json[]> {
    const home = homeOf(item)
    const found: Json[] = []
    const what = `${of} of ${home.fullName}`
    for (let page: string | undefined = '1'; page !== undefined; ) {
      const params = { id: home.id, per_page: config.pageSize, page }
      const answer = await client.ask(`GET /repositories/{id}/${of}`, params, { signal, priority })
      if (answer.state === 'refused') throw unreadable(answer, what)
      if (answer.state === 'notModified' || !isArray(answer.data)) throw new BadAnswer(`${what}: $: expected an array`)
      found.push(...answer.data)
      page = nextPage(answer.header('link'), what)
    }
    return found
  }

  const extras: Extras = {
    stamp,
    kept: (item) => (nothing ? none : keptOf(item, wants)),
    async add(item, signal, priority) {
      if (nothing) return item
      const object = objectOf(item, 'repository')
      return {
        ...object,
        ...(includedFiles.length === 0 ? {} : { __includedFiles: await filesOf(item, signal, priority) }),
        ...(repositoryTeams ? { __teams: await all(item, 'teams', signal, priority) } : {}),
        ...(repositoryCollaborators ? { __collaborators: await all(item, 'collaborators', signal, priority) } : {}),
      }
    },
    listing: (signal) => (nothing ? {} : { stamp, item: (item) => extras.add(item, signal, 'scan') }),
  }
  return extras
}

const none: JsonObject = {}

const team = [
  { id: true, node_id: true, name: true, slug: true, description: true, permission: true, html_url: true },
] as const
const collaborator = [{ ...person, permissions: true, role_name: true }] as const

function keptOf(item: Json, wants: ChildParts['wants']): JsonObject {
  const object = isObject(item) ? item : none
  return {
    ...(wants.includedFiles.length === 0 ? {} : { __includedFiles: object['__includedFiles'] ?? null }),
    ...(wants.repositoryTeams ? { __teams: pick(object['__teams'], team) } : {}),
    ...(wants.repositoryCollaborators ? { __collaborators: pick(object['__collaborators'], collaborator) } : {}),
  }
}

function textOf(data: Json): Json {
  // A folder of that name answers with a list.
  if (!isObject(data)) return null
  const { content: text, encoding } = read(content, data, 'file')
  return encoding === 'base64' ? Buffer.from(text, 'base64').toString('utf8') : null
}
