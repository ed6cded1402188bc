import type { Key, TableName, Tables } from './model.ts'

/** One row written (`row`) or removed (`null`). */
export type Op<T extends TableName = TableName> = { [N in T]: { t: N; k: Key; row: Tables[N] | null } }[T]

type Maps = { [T in TableName]: Map<Key, Tables[T]> }

export class Rows {
  readonly maps: Maps = {
    meta: new Map(),
    users: new Map(),
    orgs: new Map(),
    repos: new Map(),
    teams: new Map(),
    hooks: new Map(),
    deliveries: new Map(),
    tokens: new Map(),
    apps: new Map(),
    redirects: new Map(),
    parts: new Map(),
  }

  get<T extends TableName>(table: T, key: Key): Tables[T] | undefined {
    return this.maps[table].get(key)
  }

  all<T extends TableName>(table: T): IterableIterator<Tables[T]> {
    return this.maps[table].values()
  }

  /** Returns the row that was there before. */
  set<T extends TableName>(table: T, key: Key, row: Tables[T] | null): Tables[T] | null {
    const map: Map<Key, Tables[T]> = this.maps[table]
    const before = map.get(key) ?? null
    if (row === null) map.delete(key)
    else map.set(key, row)
    return before
  }
}
