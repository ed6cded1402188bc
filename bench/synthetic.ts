import { type Connection, type Json, type JsonObject, type Kind, lazyPage, type Page } from '../core/sdk/index.ts'
import type { Answers } from './answers.ts'
import { repositories } from './repository.ts'

/**
 * A source with `n` repositories of about 1.5 KB, each a function of its number, so that none is held: every page is made
 * when it is asked for. What the kind does to an item is as plain as an integration can be; what is measured is the engine.
 */
export interface Synthetic {
  readonly connection: Connection
  /** Items below this number are other than they were. */
  changed: number
  /** Of pages that come as bytes: no two answers have the same ones, though they hold the same items. */
  restless: boolean
  /** What the source was asked so far: checks, partitions, pages. */
  calls: number
}

const pageSize = 1000
/** `answers`: where pages come from as bytes; by default they are made in place, as items. */
export function synthetic(n: number, answers?: Answers): Synthetic {
  /** Answers under way, so that the source is no slower than we are. */
  const ahead = answers === undefined ? 0 : 3
  const kind: Kind = {
    name: 'repository',
    coverage: 'complete',
    paging: 'stable',
    canonical,
    key: (item) => text(item, 'id'),
    version: (item) => `${text(item, 'updated_at')} ${text(item, 'pushed_at')}`,
    locator: (item) => ({ fullName: text(item, 'full_name') }),
    partitions: () => {
      state.calls += 1
      return Promise.resolve([{ name: 'acme' }])
    },
    async *list(): AsyncIterable<Page> {
      const asked: Promise<Page>[] = []
      for (let first = 0; first < n; first += pageSize) {
        asked.push(page(first))
        if (asked.length <= ahead) continue
        yield* await Promise.all(asked.splice(0, 1))
      }
      for (const one of asked) yield await one
    },
  }

  async function page(first: number): Promise<Page> {
    state.calls += 1
    const last = Math.min(first + pageSize, n)
    const place = { cursor: String(first), ...(last < n ? { next: String(last) } : {}) }
    const { changed, restless, calls } = state
    if (answers === undefined) return { ...place, items: repositories(first, last, changed) }
    const bytes = await answers.ask({ first, last, changed, ...(restless ? { asked: calls } : {}) })
    return lazyPage({ ...place, bytes }, () => itemsOf(bytes))
  }

  const check = () => {
    state.calls += 1
    return Promise.resolve({ identity: 'bench', fingerprint: 'bench', missing: [] })
  }
  const state: Synthetic = { changed: 0, restless: false, calls: 0, connection: { kinds: [kind], check } }
  return state
}

/** The workers write nothing else. */
function itemsOf(bytes: Uint8Array): readonly Json[] {
  const { items } = JSON.parse(new TextDecoder().decode(bytes)) as { readonly items: readonly Json[] }
  return items
}

function text(item: Json, name: string): string {
  const value = (item as JsonObject)[name]
  return typeof value === 'string' || typeof value === 'number' ? String(value) : ''
}

/** Items are made below, so they are objects. */
function canonical(item: Json): Json {
  const it = item as JsonObject
  return {
    id: it['id'] ?? null,
    node_id: it['node_id'] ?? null,
    name: it['name'] ?? null,
    full_name: it['full_name'] ?? null,
    private: it['private'] ?? null,
    owner: it['owner'] ?? null,
    html_url: it['html_url'] ?? null,
    description: it['description'] ?? null,
    fork: it['fork'] ?? null,
    homepage: it['homepage'] ?? null,
    language: it['language'] ?? null,
    topics: it['topics'] ?? null,
    visibility: it['visibility'] ?? null,
    archived: it['archived'] ?? null,
    disabled: it['disabled'] ?? null,
    is_template: it['is_template'] ?? null,
    default_branch: it['default_branch'] ?? null,
    license: it['license'] ?? null,
    stargazers_count: it['stargazers_count'] ?? null,
    forks_count: it['forks_count'] ?? null,
    clone_url: it['clone_url'] ?? null,
    ssh_url: it['ssh_url'] ?? null,
    created_at: it['created_at'] ?? null,
    updated_at: it['updated_at'] ?? null,
    pushed_at: it['pushed_at'] ?? null,
    custom_properties: it['custom_properties'] ?? null,
  }
}
