import type { Mappings } from '../model/mapping.ts'
import type { Said } from './reconcile.ts'

export interface Name {
  readonly blueprint: string
  readonly identifier: string
}

/** Names that what a record says wants to exist, each once; undefined: the mapping file does not ask for that. */
export function wantedBy({ wants }: Mappings, drafts: readonly Said[]): readonly Name[] | undefined {
  if (wants === undefined) return undefined
  const names = drafts.filter(({ owning }) => owning).flatMap(({ draft }) => wants(draft))
  return [...new Map(names.map((name) => [`${name.blueprint}:${name.identifier}`, name])).values()]
}

/** Whether it wants what it wanted before; `stored`: as `blueprint:identifier`. */
export function wantsTheSame(stored: readonly string[], now: readonly Name[] = []): boolean {
  const before = new Set(stored)
  return (
    before.size === now.length && now.every(({ blueprint, identifier }) => before.has(`${blueprint}:${identifier}`))
  )
}
