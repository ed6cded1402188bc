import { show } from '../commands/entities.ts'
import { table } from '../table.ts'
import type { Difference } from './differ.ts'

export interface Explained {
  readonly reference: string
  /** Of what is only there: one of the causes of `explain`. */
  readonly cause?: string | null
  /** Null: it was not asked. */
  readonly why: string | null
  /** The command that says more. */
  readonly next: string
}

interface Counts {
  readonly equal: number
  readonly differing: number
  readonly onlyThere: number
  readonly onlyHere: number
}

/** The answer of `compare --json`. */
export interface Comparison {
  readonly file: string
  readonly format: 'port' | 'backstage'
  readonly counts: Counts & { readonly there: number; readonly here: number }
  readonly blueprints: readonly (Counts & { readonly blueprint: string })[]
  readonly equal: readonly string[]
  readonly differing: readonly {
    readonly reference: string
    readonly differences: readonly (Difference & { readonly why: string | null })[]
    readonly next: string
  }[]
  readonly onlyThere: readonly Explained[]
  readonly onlyHere: readonly Explained[]
}

/** For people: the counts, and of each group the first `limit` with their reasons. */
export function compareText(comparison: Comparison, limit: number): string {
  const { counts, blueprints, differing, onlyThere, onlyHere } = comparison
  const total = { blueprint: 'all', ...counts }
  const rows = [...blueprints, ...(blueprints.length > 1 ? [total] : [])].map((one) =>
    [one.blueprint, one.equal, one.differing, one.onlyThere, one.onlyHere].map(String),
  )
  const differs = counts.differing + counts.onlyThere + counts.onlyHere > 0
  return [
    table(['blueprint', 'equal', 'differing', 'only there', 'only here'], rows, ''),
    ...(differing.length === 0 ? [] : ['', 'Differing:', ...fieldsLine(comparison)]),
    ...differing
      .slice(0, limit)
      .flatMap(({ reference, differences }) => [
        `  ${reference}`,
        ...differences.flatMap(({ field, there, here, why }) => [
          `    ${field}: there ${brief(there)}, here ${brief(here)}`,
          ...(why === null ? [] : [`      ${why}`]),
        ]),
      ]),
    ...more(differing.length, limit),
    ...group('Only there:', onlyThere, limit),
    ...group('Only here:', onlyHere, limit),
    '',
    differs ? 'More of one of them: catchment explain REFERENCE' : 'They are equal.',
  ].join('\n')
}

/** "properties.url 12, title 3": most mistakes of a mapping are seen here at once. */
function fieldsLine({ differing }: Comparison): string[] {
  const count = new Map<string, number>()
  for (const { reference, differences } of differing)
    for (const { field } of differences) {
      const name = `${reference.slice(0, reference.indexOf(':'))} ${field}`
      count.set(name, (count.get(name) ?? 0) + 1)
    }
  const most = [...count].sort(([, one], [, other]) => other - one)
  return [`  ${most.map(([name, times]) => `${name} ${times}`).join(', ')}`]
}

function group(title: string, items: readonly Explained[], limit: number): string[] {
  if (items.length === 0) return []
  const lines = items
    .slice(0, limit)
    .flatMap(({ reference, why }) => [`  ${reference}`, ...(why === null ? [] : [`    ${why}`])])
  return ['', title, ...lines, ...more(items.length, limit)]
}

const more = (count: number, limit: number): string[] =>
  count > limit ? [`  and ${count - limit} more: --limit ${count}`] : []

function brief(value: unknown): string {
  if (value === null) return 'nothing'
  const text = typeof value === 'string' ? JSON.stringify(value) : show(value)
  return text.length > 80 ? `${text.slice(0, 79)}…` : text
}
