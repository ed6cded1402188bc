import { single } from '../code.ts'
import { fail } from '../errors.ts'
import { toNumber } from '../numbers.ts'
import { add } from '../operate.ts'
import { run } from '../run.ts'
import { isArray, isNumber, type Value } from '../value.ts'
import { type BrokenDown, fromSeconds, normalize, toSeconds, toValue } from './calendar.ts'
import { type Builtins, missing, ofInput, ofOne, ofTwo } from './define.ts'
import { strftime } from './strftime.ts'
import { strptime } from './strptime.ts'

const iso = '%Y-%m-%dT%H:%M:%SZ'

/** Dates. The local time zone is UTC: what a mapping gives must not depend on the machine it runs on. */
export const dates: Builtins = {
  'now/0': () => single(() => run.now ?? fail('now is not known here')),
  'gmtime/0': ofInput((input) => toValue(split(input, 'gmtime'), fraction(input))),
  'localtime/0': ofInput((input) => toValue(split(input, 'localtime'), fraction(input))),
  'mktime/0': ofInput(mktime),
  'strftime/1': ofOne((input, format) => write(input, format, 'strftime/1')),
  'strflocaltime/1': ofOne((input, format) => write(input, format, 'strflocaltime/1')),
  'strptime/1': ofOne(read),
  'todate/0': ofInput((input) => write(input, iso, 'strftime/1')),
  'todateiso8601/0': ofInput((input) => write(input, iso, 'strftime/1')),
  'date/0': ofInput((input) => write(input, iso, 'strftime/1')),
  'fromdate/0': ofInput((input) => mktime(read(input, iso))),
  'fromdateiso8601/0': ofInput((input) => mktime(read(input, iso))),
  'dateadd/2': ofTwo((input, _unit, seconds) => add(input, seconds)),
  'datesub/2': (unit = missing, seconds = missing) =>
    ofTwo((input, _unit, amount) => add(input, isNumber(amount) ? -toNumber(amount) : amount))(unit, seconds),
}

function split(input: Value, name: string): BrokenDown {
  if (!isNumber(input)) return fail(`${name}() requires numeric inputs`)
  const parts = fromSeconds(Math.trunc(toNumber(input)))
  return parts ?? fail('error converting number of seconds since epoch to datetime')
}

/** Fractions of a second stay with the seconds. */
function fraction(input: Value): number {
  const seconds = isNumber(input) ? toNumber(input) : 0
  return seconds - Math.floor(seconds)
}

/** Year, month (from 0), day, hour, minute, second; what is missing is 0. Undefined if something is no number. */
function brokenDown(input: readonly Value[]): BrokenDown | undefined {
  const parts = [0, 0, 0, 0, 0, 0]
  for (let at = 0; at < Math.min(input.length, 8); at++) {
    const part = input[at] ?? null
    if (!isNumber(part) || Number.isNaN(toNumber(part))) return undefined
    if (at < parts.length) parts[at] = Math.trunc(Math.max(-(2 ** 31), Math.min(2 ** 31 - 1, toNumber(part))))
  }
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = parts
  const fields = { year: input.length === 0 ? 1900 : year, month, day, hour, minute, second }
  // Written as they are, out of range or not; only the day of week and year follow from the date.
  return { ...normalize(fields), ...fields }
}

function mktime(input: Value): Value {
  if (!isArray(input)) return fail('mktime requires array inputs')
  const parts = brokenDown(input) ?? fail('mktime requires parsed datetime inputs')
  const seconds = toSeconds(parts)
  return seconds === -1 || Number.isNaN(seconds) ? fail('invalid gmtime representation') : seconds
}

function write(input: Value, format: Value, name: string): Value {
  if (!isNumber(input) && !isArray(input)) return fail(`${name} requires parsed datetime inputs`)
  const parts = isNumber(input) ? split(input, 'gmtime') : brokenDown(input)
  if (typeof format !== 'string') return fail(`${name} requires a string format`)
  if (parts === undefined) return fail(`${name} requires parsed datetime inputs`)
  const text = strftime(format, parts)
  return text === '' && format !== '' ? fail(`${name}: unknown system failure`) : text
}

function read(input: Value, format: Value): Value {
  if (typeof input !== 'string' || typeof format !== 'string') {
    return fail('strptime/1 requires string inputs and arguments')
  }
  const result = strptime(input, format)
  if (result === undefined) return fail(`date "${input}" does not match format "${format}"`)
  const value = toValue(result.parts, 0)
  return result.rest === '' ? value : [...value, result.rest]
}
