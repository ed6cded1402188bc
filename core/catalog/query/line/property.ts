import type { Parameters } from '../sql.ts'
import type { Bounds } from './moments.ts'
import { lineError, type Node, type Value } from './parse.ts'
import { bounds, isPattern, noMoment, numberRange, numeric, range, textTest } from './values.ts'
import type { Subject } from './vocabulary.ts'

type Field = Extract<Node, { type: 'field' }>
type Property = Extract<Subject, { of: 'property' }>

interface Scene {
  readonly parameters: Parameters
  readonly now: number
}

export function any(parts: readonly string[]): string {
  return parts.length === 1 ? (parts[0] ?? 'false') : `(${parts.join(' OR ')})`
}

export function between(time: string, { from, until }: Bounds, parameters: Parameters): string {
  const side = (sign: string, at: number | undefined): string[] =>
    at === undefined ? [] : [`${time} ${sign} ${parameters.add(new Date(at))}::timestamptz`]
  return `(${[...side('>=', from), ...side('<', until)].join(' AND ')})`
}

function json({ path }: Property, parameters: Parameters, e: string): string {
  return `(${e}.properties #> ${parameters.add(path)}::text[])`
}

/** It is there and says something. */
export function filled(subject: Property, parameters: Parameters, e: string): string {
  return `coalesce(${json(subject, parameters, e)} NOT IN ('null'::jsonb, '""'::jsonb, '[]'::jsonb, '{}'::jsonb), false)`
}

/** Throws `query_invalid` where the value is none of the property's type. */
export function propertyTest(subject: Property, field: Field, value: Value, scene: Scene, e: string): string {
  const { comparison } = field
  const moments = bounds(comparison, value, scene.now)
  const ordering = ['>', '>=', '<', '<='].includes(comparison)
  if (subject.time && (ordering || range(value) !== undefined) && moments === undefined)
    throw noMoment(field.name, value)
  if (subject.time && moments !== undefined)
    return whenTest(json(subject, scene.parameters, e), moments, scene.parameters)
  if (ordering) return orderTest(subject, field, value, scene, e)
  const sides = comparison === '' ? numberRange(value) : undefined
  if (sides !== undefined) {
    const text = `(${json(subject, scene.parameters, e)} #>> '{}')`
    const limits = sides.flatMap((side, index) => (side === '*' ? [] : [[index === 0 ? '>=' : '<=', side] as const]))
    return `(${limits.map(([sign, side]) => numberTest(text, sign, side, scene.parameters)).join(' AND ')})`
  }
  return sameTest(subject, field, value, scene.parameters, e)
}

function orderTest(subject: Property, field: Field, value: Value, { parameters, now }: Scene, e: string): string {
  const number = numeric(value)
  if (number === undefined) wantType(subject, field, value)
  const content = json(subject, parameters, e)
  if (number !== undefined) return numberTest(`(${content} #>> '{}')`, field.comparison, number, parameters)
  const moments = bounds(field.comparison, value, now)
  if (moments !== undefined) return whenTest(content, moments, parameters)
  return eachTest(content, field, value, parameters)
}

function sameTest(subject: Property, field: Field, value: Value, parameters: Parameters, e: string): string {
  const { comparison } = field
  const text = (): string => eachTest(json(subject, parameters, e), field, value, parameters)
  if (isPattern(value) || comparison === '~') return text()
  if (comparison === '') wantType(subject, field, value)
  const number = numeric(value)
  const truth = !value.quoted && /^(?:true|false)$/i.test(value.text) ? value.text.toLowerCase() : undefined
  const literal = number ?? truth
  const exact = (part: string): string => contains(subject.path, part, parameters, e)
  if (literal !== undefined && (subject.type === 'number' || subject.type === 'boolean')) return exact(literal)
  if (comparison === '=')
    return any([exact(JSON.stringify(value.text)), ...(literal === undefined ? [] : [exact(literal)])])
  return number === undefined ? text() : any([text(), exact(number)])
}

/** A list has it, or the text is it. */
function eachTest(content: string, field: Field, value: Value, parameters: Parameters): string {
  const one = (text: string): string => textTest(text, field.comparison, value, parameters)
  return `CASE jsonb_typeof(${content})
    WHEN 'array' THEN EXISTS (SELECT FROM jsonb_array_elements_text(${content}) v (part) WHERE ${one('v.part')})
    ELSE ${one(`(${content} #>> '{}')`)} END`
}

/** The one comparison of properties that an index answers. `part` is JSON: a number keeps every digit. */
function contains(path: readonly string[], part: string, parameters: Parameters, e: string): string {
  const whole = (inner: string): string =>
    path.reduceRight((inside, key) => `{${JSON.stringify(key)}:${inside}}`, inner)
  return any([part, `[${part}]`].map((inner) => `${e}.properties @> ${parameters.add(whole(inner))}::jsonb`))
}

/** Also of numbers that are held as texts. */
function numberTest(text: string, sign: string, number: string, parameters: Parameters): string {
  return `CASE WHEN ${text} ~ '^-?[0-9]+([.][0-9]+)?$' THEN ${text}::numeric ${sign} ${parameters.add(number)}::numeric ELSE false END`
}

const day = 86_400_000

/**
 * Times in properties are texts, and not all of them are times: what cannot be read is never within. The day alone, which
 * reads as it sorts, settles most of them cheaply, whatever their zone.
 */
function whenTest(content: string, { from, until }: Bounds, parameters: Parameters): string {
  const text = `(${content} #>> '{}')`
  const read = `to_jsonb(regexp_replace(${text}, '([.][0-9]+)?Z$', '+00:00'))`
  const sides = [
    { sign: '>=', at: from, slack: -day },
    { sign: '<', at: until, slack: 2 * day },
  ]
  const known = sides.flatMap(({ at, ...rest }) => (at === undefined ? [] : [{ ...rest, at }]))
  const near = known.map(({ sign, at, slack }) => {
    const date = new Date(at + slack).toISOString().slice(0, 10)
    return `${text} COLLATE "C" ${sign} ${parameters.add(date)}::text`
  })
  const within = known.map(({ sign, at }) => {
    const moment = JSON.stringify({ at: new Date(at).toISOString().replace(/\.\d+Z$/, '+00:00') })
    return `jsonb_path_exists_tz(${read}, '$ ? (@.datetime() ${sign} $at.datetime())', ${parameters.add(moment)}::jsonb, true)`
  })
  return `CASE WHEN ${near.join(' AND ')} THEN ${within.join(' AND ')} ELSE false END`
}

function wantType({ type }: Property, field: Field, value: Value): void {
  if (type === 'number' && numeric(value) === undefined) {
    const hint = `Write ${field.name}:>10, or ${field.name}:10..20.`
    throw lineError(`${field.name} is a number, and "${value.text}" is none.`, value.place, hint)
  }
  if (type === 'boolean' && !/^(?:true|false)$/i.test(value.text)) {
    throw lineError(`${field.name} is true or false, not "${value.text}".`, value.place)
  }
}
