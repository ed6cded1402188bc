import type { SearchQuery } from '../model/entity.ts'
import type { Json } from '../model/json.ts'
import { operatorOf } from '../model/search.ts'
import { isArray, isNumber, type Value } from './jq/value.ts'
import { numberText } from './number-text.ts'

type Rule = Exclude<SearchQuery['rules'][number], SearchQuery>

/** Fields that are text whatever an expression gives. */
function isName(property: string): boolean {
  return ['$identifier', '$title', '$blueprint', '$team'].includes(property) || property.startsWith('relations.')
}

/**
 * Numbers in the value of a rule keep all their digits: what is compared with a name is text. A whole number that a double
 * cannot hold is the same as a property of that number, which was rounded likewise, or as a text of its digits. `exact`: the
 * value with all digits.
 */
export function digits(rule: Rule, exact: () => Value): Rule {
  const { property, value } = rule
  if (!hasNumber(value)) return rule
  if (isName(property)) return { ...rule, value: texts(exact()) }
  const operator = operatorOf(rule.operator)
  const members = Array.isArray(value) ? value : [value]
  if (!members.some(isLong)) return rule
  const whole = exact()
  const both = (isArray(whole) ? whole : [whole]).flatMap((member, index): readonly Json[] =>
    isNumber(member) && isLong(members[index] ?? null)
      ? [members[index] ?? null, numberText(member)]
      : [members[index] ?? null],
  )
  if (operator === '=' || operator === 'in') return { ...rule, operator: 'in', value: both }
  if (operator === '!=' || operator === 'notIn') return { ...rule, operator: 'notIn', value: both }
  return operator === 'containsAny' ? { ...rule, value: both } : rule
}

function hasNumber(value: Json): boolean {
  return typeof value === 'number' || (Array.isArray(value) && value.some(hasNumber))
}

function isLong(value: Json): boolean {
  return typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value)
}

function texts(value: Value): Json {
  if (isArray(value)) return value.map(texts)
  // Numbers are the one kind of value that is not JSON.
  return isNumber(value) ? numberText(value) : (value as Json)
}
