import { compileMappings } from '../../../core/mapping/compile.ts'
import type { Asked, Integration, JsonObject } from '../../../core/sdk/index.ts'

type Aliases = Integration['aliases']

/** What mapping files ask of their source beside the objects themselves, all of them together. */
export function askedIn(
  files: readonly { readonly file: string; readonly mapping: string }[],
  aliases: Aliases,
): Asked {
  const selectors: Record<string, JsonObject[]> = {}
  const options: Record<string, JsonObject[string]> = {}
  for (const { file, mapping } of files) {
    const compiled = compileMappings({ file, text: mapping, aliases })
    Object.assign(options, compiled.options.other)
    for (const { kind, selectorFields } of compiled.resources) {
      const blocks = selectors[kind] ?? []
      selectors[kind] = blocks
      // A block without any asks for the usual, which is something else than what its neighbours ask for.
      blocks.push(selectorFields)
    }
  }
  return { selectors, options }
}

/**
 * Kinds to scan: those that the configuration names; else those that a mapping file of one's own reads; else the few that
 * cost little.
 */
export function kindsToScan(
  source: { readonly kinds?: readonly string[]; readonly mapping?: { readonly file: string; readonly text: string } },
  integration: Integration,
  known: readonly string[],
): readonly string[] {
  const { aliases } = integration
  if (source.kinds !== undefined) return source.kinds.map((kind) => nameOf(kind, aliases))
  if (source.mapping === undefined) return integration.defaultKinds
  const { file, text } = source.mapping
  const read = new Set(compileMappings({ file, text, aliases }).resources.map(({ kind }) => kind))
  const kinds = known.filter((kind) => read.has(kind))
  return kinds.length === 0 ? integration.defaultKinds : kinds
}

function nameOf(kind: string, aliases: Aliases): string {
  return aliases !== undefined && Object.hasOwn(aliases, kind) ? (aliases[kind] ?? kind) : kind
}
