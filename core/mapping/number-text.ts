import { compile } from './jq/index.ts'
import { Exact } from './jq/numbers.ts'

const toText = compile('tostring')

/**
 * A number as jq writes it: identifiers are text, and `1e3` must not be another entity than `1000`. Whole numbers have all
 * their digits, as jq gives them when it read them from JSON.
 */
export function numberText(value: number | Exact): string {
  if (value instanceof Exact) return value.exponent === 0 ? value.text : numberText(value.number)
  const text = Number.isInteger(value) ? undefined : toText.first(value)
  return typeof text === 'string' ? text : String(value)
}
