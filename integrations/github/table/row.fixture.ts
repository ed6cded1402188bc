import type { GithubSource } from '../source.fixture.ts'

/** As `canonical` gives it; a row reads single fields. */
export type Item = Readonly<Record<string, unknown>>

/** The column does not apply to this kind, and why. */
export interface Not {
  readonly not: string
}
export const not = (why: string): Not => ({ not: why })
export const applies = <T extends object>(column: T | Not): column is T => !('not' in column)

type Deed = (item: Item) => Promise<unknown>

/** An event of GitHub, and what makes it happen; afterwards what the catalog says of the kind is something else. */
export interface Told {
  /** `issues.edited`, or without an action. */
  readonly event: string
  readonly cause: Deed
  /** The sandbox does not send it. It sends this one, which carries what counts: that is delivered under the other name. */
  readonly sentAs?: string
  /** What the event has beside what `sentAs` carries. */
  readonly more?: (item: Item) => Promise<object>
}

/** The same questions of each kind. A column that does not apply says why. */
export interface Row {
  readonly kind: string
  readonly partition: string
  /** It makes no entity: it adds these fields to what repositories make. */
  readonly adds?: readonly string[]
  /** Makes one more; answers how it is found among the items. */
  make(n: number): Promise<(item: Item) => boolean>
  readonly pages: { readonly atLeast: number } | Not
  /** Gives it another name, or what comes nearest: what people change about it. The key stays. */
  readonly rename: { readonly by: Deed } | Not
  readonly remove: { readonly by: Deed } | Not
  readonly events: { readonly told: readonly Told[] } | Not
}

export const twoPages = { atLeast: 2 }
export const home = 'acme/checkout'
export const repo = `/repos/${home}`
export const sha = '1'.repeat(40)

export const withField =
  (field: string, value: unknown) =>
  (item: Item): boolean =>
    item[field] === value

/** GitHub's times are whole seconds: what shows by a time alone is done until that has moved. */
export async function untilMoved(before: unknown, deed: () => Promise<unknown>, time: () => Promise<unknown>) {
  do await deed()
  while ((await time()) === before)
}

/** What rows do to the sandbox. It runs only when a test does: rows are named before. */
export interface Hands {
  readonly control: () => GithubSource['sandbox']['control']
  /** A call as a person makes it. */
  readonly change: (method: string, path: string, body?: object) => Promise<Record<string, unknown>>
  /** A file of the default branch. */
  readonly write: (path: string, text: string) => Promise<unknown>
  readonly unwrite: (path: string) => Promise<unknown>
}

export function handsOf(source: () => GithubSource): Hands {
  const change: Hands['change'] = (method, path, body) => source().change(method, path, body)
  return {
    control: () => source().sandbox.control,
    change,
    write: (path, text) =>
      change('PUT', `${repo}/contents/${path}`, { message: 'x', content: Buffer.from(text).toString('base64') }),
    unwrite: (path) => change('DELETE', `${repo}/contents/${path}`, { message: 'x' }),
  }
}
