import type { Patch } from './document.ts'
import { type EntityRow, type Group, nameOf } from './group.ts'

/** A name that relations want an entity of, although nothing may own it. */
export interface Wanted {
  readonly blueprint: string
  readonly identifier: string
  /** The entity that had this name before: what wants the name is led to it. */
  readonly led?: bigint
}

/** What is wanted, as far as the rows tell: for a fold that changes nothing about it. */
export function shown(rows: readonly EntityRow[]): ReadonlyMap<string, Wanted> {
  return new Map(
    rows.flatMap(({ anchor, hidden, blueprint, identifier }) =>
      anchor === null && !hidden ? [[nameOf({ blueprint, identifier }), { blueprint, identifier }] as const] : [],
    ),
  )
}

/** Stubs come last: by a name that something owns, or that leads to an entity which had it before, there is none. */
export function want(
  groups: ReadonlyMap<string, Group>,
  wanted: ReadonlyMap<string, Wanted>,
  closed: ReadonlySet<EntityRow>,
): void {
  const gone = new Set([...closed].map(({ id }) => id))
  const renamed = new Set(
    [...groups.values()].flatMap(({ row, identifier }) =>
      row === undefined || row.identifier === identifier ? [] : [nameOf(row)],
    ),
  )
  for (const [name, { led }] of wanted) {
    const group = groups.get(name)
    if (group === undefined || group.owned || renamed.has(name)) continue
    group.wanted = led === undefined || gone.has(led)
  }
}

/**
 * Gives the stubs that are there the names that nothing else took, and answers those that go. One that readers see is never
 * kept for what they do not see: to them it is deleted. A name that nothing says is forgotten.
 */
export function placeStubs(groups: Map<string, Group>, stubs: readonly EntityRow[]): readonly EntityRow[] {
  const leaving = stubs.filter((row) => {
    const group = groups.get(nameOf(row))
    if (group === undefined || group.row !== undefined) return true
    const exists = group.owned || group.wanted
    if (!exists && (!row.hidden || group.members.length === 0)) return true
    group.row = row
    return false
  })
  for (const [name, { owned, wanted, members }] of groups) {
    if (!owned && !wanted && members.length === 0) groups.delete(name)
  }
  return leaving
}

/** In the change feed and in history a stub says so; one that something owns from now on is one no longer. */
export function stubChange({ anchor }: EntityRow, owned: boolean): Patch {
  return anchor === null && owned ? { stub: [true, false] } : {}
}
