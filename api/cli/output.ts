import { CatchmentError } from '../../core/sdk/index.ts'
import type { Client } from './client.ts'

/** "3 s", "4 min", "2 h", "5 d": how long ago or how long still. */
export function duration(milliseconds: number): string {
  const seconds = Math.max(0, Math.round(milliseconds / 1000))
  if (seconds < 90) return `${seconds} s`
  if (seconds < 90 * 60) return `${Math.round(seconds / 60)} min`
  if (seconds < 48 * 3600) return `${Math.round(seconds / 3600)} h`
  return `${Math.round(seconds / 86_400)} d`
}

/** What the engine remembers of a refused check: `SourceView.problem`. */
export function problemOf(stored: unknown): { readonly message: string; readonly hint?: string } | undefined {
  if (typeof stored !== 'object' || stored === null || !('message' in stored)) return undefined
  return { message: String(stored.message), ...('hint' in stored ? { hint: String(stored.hint) } : {}) }
}

export interface ListOptions {
  readonly json: boolean
  readonly limit: string
  readonly source?: string
  readonly kind?: string
}

/** A page of a list of the API, with those of the options that are its filters. */
export async function list<Item>(
  client: Client,
  path: string,
  options: ListOptions,
  filters: readonly string[],
): Promise<{ readonly items: readonly Item[]; readonly next?: string }> {
  const query = new URLSearchParams({ limit: options.limit })
  for (const [name, value] of Object.entries(options))
    if (filters.includes(name) && typeof value === 'string') query.set(name, value)
  // The shape is the server's own, of the same version.
  return (await client.get(`/api/v1/${path}?${query.toString()}`)) as { items: readonly Item[]; next?: string }
}

export function print(text: string): void {
  process.stdout.write(`${text}\n`)
}

export function printJson(value: unknown): void {
  print(JSON.stringify(value, null, 2))
}

/** Says an error the way a person can act on it, and answers the exit status. */
export function report(error: unknown): number {
  if (error instanceof CatchmentError) {
    process.stderr.write(`error: ${error.message} [${error.code}]\n`)
    if (error.hint !== undefined) process.stderr.write(`  ${error.hint}\n`)
    return error.exitCode
  }
  const text = error instanceof Error ? (process.env['CATCHMENT_DEBUG'] ? error.stack : error.message) : String(error)
  process.stderr.write(`error: ${text}\n`)
  return 1
}
