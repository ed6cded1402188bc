import { type EntityDraft, TEAM } from '../model/entity.ts'

/**
 * A failed expression is not null (I8): the field keeps its last good value and the mark. At first sight it is absent and
 * marked. `before`: what the same item said before.
 */
export function healed(draft: EntityDraft, before: EntityDraft | undefined): EntityDraft {
  if (draft.failed.length === 0 || before === undefined) return draft
  const properties = { ...draft.properties }
  const relations = { ...draft.relations }
  let { title, team } = draft
  for (const { field } of draft.failed) {
    if (field === 'title') title = before.title
    else if (field === 'team') {
      team = before.team
      restore(relations, before.relations, TEAM)
    } else if (field === 'properties.*') restoreAll(properties, before.properties)
    else if (field.startsWith('properties.')) restore(properties, before.properties, field.slice('properties.'.length))
    else if (field.startsWith('relations.')) restore(relations, before.relations, field.slice('relations.'.length))
  }
  return { ...draft, title, team, properties, relations }
}

/** An object that is spread into the properties failed as a whole: what nothing else gives may have come from it. */
function restoreAll<Value>(target: Record<string, Value>, from: Readonly<Record<string, Value>>): void {
  for (const name of Object.keys(from)) if (!Object.hasOwn(target, name)) restore(target, from, name)
}

function restore<Value>(target: Record<string, Value>, from: Readonly<Record<string, Value>>, name: string): void {
  const value = Object.hasOwn(from, name) ? from[name] : undefined
  if (value === undefined) return
  // Also for a property called __proto__.
  Object.defineProperty(target, name, { value, writable: true, enumerable: true, configurable: true })
}
