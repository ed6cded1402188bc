import { arrays } from './arrays.ts'
import { dates } from './dates.ts'
import type { Build, Builtins } from './define.ts'
import { elements } from './elements.ts'
import { generate } from './generate.ts'
import { math } from './math.ts'
import { objects } from './objects.ts'
import { paths } from './paths.ts'
import { refused } from './refused.ts'
import { regex } from './regex.ts'
import { streams } from './streams.ts'
import { strings } from './strings.ts'
import { values } from './values.ts'

const table: Builtins = {
  ...values,
  ...strings,
  ...regex,
  ...arrays,
  ...elements,
  ...objects,
  ...paths,
  ...generate,
  ...streams,
  ...math,
  ...dates,
}

/** Names that jq 1.8 no longer has, or has only in other builds, and that mapping files in use rely on. */
export const extensions: readonly string[] = ['ascii/0', 'date/0', 'dateadd/2', 'datesub/2', 'pow10/0', 'toarray/0']

/** Callable, but not listed by `builtins`. */
const hidden = ['_strindices/1']

export function findBuiltin(signature: string): Build | undefined {
  return Object.hasOwn(table, signature) ? table[signature] : undefined
}

export function whyRefused(signature: string): string | undefined {
  return Object.hasOwn(refused, signature) ? refused[signature] : undefined
}

/** What `builtins` gives: every name that can be called. */
export const builtinNames: readonly string[] = [...Object.keys(table), 'builtins/0', 'env/0'].filter(
  (name) => !hidden.includes(name),
)
