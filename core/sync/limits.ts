import type { EntityDraft } from '../model/entity.ts'
import type { ItemDraft, MappingOutput } from '../model/mapping.ts'
import type { Problem } from '../model/problem.ts'
import { BadAnswer, type Key, type Signal } from '../sdk/index.ts'

/** Bytes of a key, an identifier or a relation's target. An index of the database takes 2.7 KB for a name and what stands beside it. */
export const longestName = 1000
/** Levels of arrays and objects in a property. The database and those who read the catalog walk them on a stack. */
export const deepestValue = 100

/** Levels of a body that comes in a delivery: whatever compares or writes it does so on a stack. */
const deepestBody = 1000

const tooDeep = 'it is nested too deeply to be read'

/** Throws BadAnswer for a signal that nothing could be done with: its delivery is set aside, the others are applied. */
export function checkSignal(signal: Signal): void {
  if (signal.type === 'resync') return
  checkKey(signal.key)
  if (signal.type === 'stale' && isDeeper(signal.body, deepestBody)) throw new BadAnswer(tooDeep)
}

/** Throws BadAnswer for a key that the catalog cannot keep apart from others: too long, or with text that no column holds. */
export function checkKey(key: Key): void {
  const problem = keyProblem(key)
  if (problem !== undefined) throw new BadAnswer(problem)
}

export function keyProblem(key: Key): string | undefined {
  if (tooLong(key)) return `the key has ${Buffer.byteLength(key)} bytes; at most ${longestName} can be stored`
  if (!key.isWellFormed()) return 'the key has half of a surrogate pair, which cannot be stored'
  if (key.includes('\0')) return 'the key has a NUL character, which cannot be stored'
  return undefined
}

/** Says of what was too deep for the stack what it was; other errors as they are. */
export function readable(error: unknown): unknown {
  return error instanceof RangeError ? new BadAnswer(tooDeep, error) : error
}

/**
 * What a mapping made and the catalog cannot hold is a problem of that item like a failed expression (I8): an identifier
 * quarantines it, a property or relation keeps its last good value.
 */
export function withinLimits(outputs: readonly MappingOutput[]): readonly MappingOutput[] {
  return outputs.map((output) => {
    if (output.state !== 'selected' || output.drafts.every(fits)) return output
    const [drafts, quarantined]: [ItemDraft[], { item: string; problem: Problem }[]] = [[], [...output.quarantined]]
    for (const each of output.drafts) {
      const name = (['identifier', 'blueprint'] as const).find((field) => tooLong(each.draft[field]))
      if (name === undefined) drafts.push({ ...each, draft: cut(output.mapping, each.draft) })
      else quarantined.push({ item: each.item, problem: problem(output.mapping, name, longText(each.draft[name])) })
    }
    return { ...output, drafts, quarantined }
  })
}

function fits({ draft }: ItemDraft): boolean {
  return !tooLong(draft.identifier) && !tooLong(draft.blueprint) && unfit(draft).length === 0
}

/** Fields that cannot be stored, with what is wrong with them. */
function unfit({ properties, relations }: EntityDraft): readonly { field: string; message: string }[] {
  const found: { field: string; message: string }[] = []
  for (const [name, value] of Object.entries(properties)) {
    if (!isDeeper(value, deepestValue)) continue
    const message = `it has more than ${deepestValue} levels; deeper values cannot be stored`
    found.push({ field: `properties.${name}`, message })
  }
  for (const [name, value] of Object.entries(relations)) {
    const long = (Array.isArray(value) ? value : [value]).find((each) => typeof each === 'string' && tooLong(each))
    if (typeof long === 'string') found.push({ field: `relations.${name}`, message: longText(long) })
  }
  return found
}

function cut(mapping: string, draft: EntityDraft): EntityDraft {
  const wrong = unfit(draft)
  const fields = new Set(wrong.map(({ field }) => field))
  const without = <Value>(part: string, from: Readonly<Record<string, Value>>): Readonly<Record<string, Value>> =>
    Object.fromEntries(Object.entries(from).filter(([name]) => !fields.has(`${part}.${name}`)))
  return {
    ...draft,
    properties: without('properties', draft.properties),
    relations: without('relations', draft.relations),
    failed: [...draft.failed, ...wrong.map(({ field, message }) => problem(mapping, field, message))],
  }
}

function problem(mapping: string, field: string, message: string): Problem {
  return { code: 'value_unstorable', mapping, field, expression: '', message }
}

function longText(text: string): string {
  return `it has ${Buffer.byteLength(text)} bytes; at most ${longestName} can be stored`
}

function tooLong(text: string): boolean {
  // No character has more than three bytes a unit, so most texts need not be measured.
  return text.length * 3 > longestName && Buffer.byteLength(text) > longestName
}

/** Whether it has more levels of arrays and objects. */
export function isDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false
  if (levels === 0) return true
  for (const each of Object.values(value)) if (isDeeper(each, levels - 1)) return true
  return false
}
