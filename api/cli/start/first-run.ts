import type { Queryable } from '../../../core/catalog/db.ts'
import { listBlueprints } from '../../../core/catalog/query/blueprints.ts'
import { listEntities } from '../../../core/catalog/query/entities.ts'

/** What stands on the terminal once there is something to see: at most 12 lines, the last three are commands that work as printed. */
export function firstRun(facts: {
  readonly url: string
  readonly token: string
  readonly seconds: number
  /** An entity that is there, to try the commands with. */
  readonly example: string | undefined
  /** `life`: seconds between two changes in it; 0: none. */
  readonly sandbox?: { readonly life: number }
}): readonly string[] {
  const { sandbox, example } = facts
  const tries =
    example === undefined ? ['scans', 'held'] : [`search ${quoted(lastWord(example))}`, `explain ${quoted(example)}`]
  return [
    '',
    `The catalog is ready, ${facts.seconds.toFixed(1)} s after start.`,
    `  First page:  ${facts.url}/?token=${facts.token}`,
    `  API:         ${facts.url}/docs`,
    ...(sandbox === undefined || sandbox.life === 0
      ? []
      : [`  The organisation lives: every ${sandbox.life} s somebody changes something, and you see it here.`]),
    '',
    'In another terminal:',
    ...['status', ...tries].map((command) => `  npm run -s catchment -- ${command}`),
  ]
}

/** One of the family that has the most: what a visitor came for. Undefined while there is none. */
export async function exampleEntity(db: Queryable): Promise<string | undefined> {
  const [most] = await listBlueprints(db)
  if (most === undefined || most.entities === 0) return undefined
  const { items } = await listEntities(db, { blueprint: most.identifier, limit: 1 })
  return items[0]?.reference
}

function lastWord(reference: string): string {
  return /[\p{L}\p{N}]+[^/:]*$/u.exec(reference)?.[0] ?? reference
}

/** As a shell takes it. */
function quoted(text: string): string {
  return /^[\w./:@-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`
}
