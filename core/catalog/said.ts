import type { EntityDraft } from '../model/entity.ts'
import type { ItemDraft } from '../model/mapping.ts'
import { type Document, documentOf, same, storable } from './document.ts'

type Said = ItemDraft & { readonly mapping: string }

/** Whether a record says again what its contributions say, as they are stored. */
export function saysTheSame(stored: readonly Said[], now: readonly Said[]): boolean {
  if (stored.length !== now.length) return false
  const before = new Map(stored.map((each) => [partOf(each), each]))
  return now.every((each) => {
    const old = before.get(partOf(each))
    return (
      old !== undefined &&
      old.owning === each.owning &&
      old.draft.blueprint === storable(each.draft.blueprint) &&
      old.draft.identifier === storable(each.draft.identifier) &&
      same(normal(old.draft), documentOf(each.draft))
    )
  })
}

function partOf({ mapping, item }: Said): string {
  return `${storable(item)} ${storable(mapping)}`
}

/** What is stored was made normal before. */
function normal({ title, team, properties, relations, failed }: EntityDraft): Document {
  return { title, team, properties, relations, failed }
}
