import type { SearchQuery } from '../../model/entity.ts'
import type { Json } from '../../model/json.ts'
import { CatchmentError } from '../../sdk/index.ts'

const operators: Readonly<Record<string, string>> = {
  '=': '=',
  '!=': '!=',
  '>': '>',
  '>=': '>=',
  '<': '<',
  '<=': '<=',
  '~': 'contains',
  '!~': 'doesNotContain',
}

/**
 * The short form of a rule for URLs and the command line: `language=go`, `stars>=10`, `topics~payments`, `archived!=true`.
 * A value that reads as a number, true, false or null is that and also its text; in double quotes it is only text.
 * Several are joined by "and". Throws `where_invalid`.
 */
export function parseWhere(texts: readonly string[]): SearchQuery | undefined {
  if (texts.length === 0) return undefined
  return { combinator: 'and', rules: texts.map(parseOne) }
}

function parseOne(text: string): SearchQuery | { property: string; operator: string; value: Json } {
  const match = /^\s*([^=!<>~]+?)\s*(!=|>=|<=|!~|=|>|<|~)\s*(.*)$/su.exec(text)
  const [, property, sign, value] = match ?? []
  const operator = operators[sign ?? '']
  if (property === undefined || value === undefined || operator === undefined) {
    throw new CatchmentError(`"${text}" is not a condition.`, {
      code: 'where_invalid',
      status: 400,
      hint: 'Write NAME=VALUE; also != > >= < <= and ~ (contains), !~ (does not contain).',
      details: { parameter: 'where' },
    })
  }
  const read = readValue(value)
  if (typeof read === 'string' || read === null || !['=', '!=', 'contains', 'doesNotContain'].includes(operator)) {
    return { property, operator, value: read }
  }
  const rules = [read, value].map((side) => ({ property, operator, value: side }))
  return { combinator: operator === '=' || operator === 'contains' ? 'or' : 'and', rules }
}

function readValue(text: string): string | number | boolean | null {
  if (!/^(?:-?\d+(?:\.\d+)?|true|false|null|".*")$/su.test(text)) return text
  try {
    const value: unknown = JSON.parse(text)
    if (value === null || typeof value === 'number' || typeof value === 'boolean' || typeof value === 'string')
      return value
  } catch {
    // Looks like a number or a quoted text and is none: taken as it is.
  }
  return text
}
