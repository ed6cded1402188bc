import type { Json } from './json.ts'
import { isObject } from './json.ts'

/** What a rule of a search query compares by. */
export const operators = [
  '=',
  '!=',
  '>',
  '>=',
  '<',
  '<=',
  'contains',
  'doesNotContain',
  'containsAny',
  'beginsWith',
  'doesNotBeginWith',
  'endsWith',
  'doesNotEndWith',
  'in',
  'notIn',
  'between',
  'notBetween',
  'isEmpty',
  'isNotEmpty',
] as const
export type Operator = (typeof operators)[number]

/** As the other product spells them. */
export const spellings: Readonly<Record<string, Operator>> = {
  doesNotContains: 'doesNotContain',
  doesNotBeginsWith: 'doesNotBeginWith',
  doesNotEndsWith: 'doesNotEndWith',
}

export function operatorOf(text: string): Operator | undefined {
  return operators.find((name) => name === text) ?? (Object.hasOwn(spellings, text) ? spellings[text] : undefined)
}

/** What every entity has beside its properties. */
export const fields = ['$identifier', '$title', '$blueprint', '$team', '$stub', '$createdAt', '$updatedAt'] as const
const times: readonly string[] = ['$createdAt', '$updatedAt']
const ofTimes: readonly Operator[] = ['=', '!=', '>', '>=', '<', '<=', 'between', 'notBetween']
const ofRelations: readonly Operator[] = [
  '=',
  '!=',
  'contains',
  'doesNotContain',
  'containsAny',
  'in',
  'notIn',
  'isEmpty',
  'isNotEmpty',
]

export function isTime(property: string): boolean {
  return times.includes(property)
}

/** Why a rule cannot be answered, whatever its value is. `property` undefined: it is not known yet. */
export function refusalOf(
  property: string | undefined,
  operator: string | undefined,
): { readonly message: string; readonly hint: string } | undefined {
  if (operator === 'relatedTo') {
    return {
      message: 'The operator "relatedTo" is not answered: it follows relations of any length.',
      hint: 'Name the relation: { property: relations.NAME, operator: "=", value: IDENTIFIER }',
    }
  }
  const known = operator === undefined ? undefined : operatorOf(operator)
  if (operator !== undefined && known === undefined) {
    return { message: `There is no operator "${operator}".`, hint: `Operators: ${operators.join(' ')}` }
  }
  if (property === undefined) return undefined
  if (property.startsWith('$') && !fields.some((name) => name === property)) {
    const hint = `Fields: ${fields.join(' ')}; properties go by their own name.`
    return { message: `There is no field "${property}".`, hint }
  }
  const allowed = isTime(property) ? ofTimes : property.startsWith('relations.') ? ofRelations : operators
  if (known === undefined || allowed.includes(known)) return undefined
  const what = isTime(property) ? 'Times' : 'Relations'
  return { message: `${what} do not know "${known}".`, hint: `They know ${allowed.join(' ')}.` }
}

/** Both ends of `between`, which are part of it; undefined: it is none. */
export function endsOf(value: Json): { readonly from: Json; readonly to: Json } | undefined {
  if (Array.isArray(value)) return value.length === 2 ? { from: value[0] ?? null, to: value[1] ?? null } : undefined
  if (!isObject(value) || !Object.hasOwn(value, 'from') || !Object.hasOwn(value, 'to')) return undefined
  return { from: value['from'] ?? null, to: value['to'] ?? null }
}
