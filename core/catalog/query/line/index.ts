import type { Queryable } from '../../db.ts'
import { searchWords } from '../../search.ts'
import { unsoundPartitions } from '../entity-freshness.ts'
import type { Objectives } from '../freshness.ts'
import type { Parameters } from '../sql.ts'
import { tsquery } from '../words.ts'
import { fieldTest, type Scene } from './field.ts'
import { lineError, type Node, parseLine } from './parse.ts'
import { any } from './property.ts'
import { asksFreshness } from './state.ts'
import { namesIn, undeclaredAmong } from './undeclared.ts'
import { Vocabulary } from './vocabulary.ts'

/** A one-line query, read: its names are known, and its values are what they are compared with. */
export interface Line {
  /** As it was written. */
  readonly text: string
  /** Words that all must be there, by which is ranked: a tsquery; empty: nothing can match. */
  readonly words?: string
  /** The words as they were written. */
  readonly raw: string
  /** In the form of `EntityQuery.sort`. */
  readonly sort?: string
  /** Over `entities e`. */
  condition(parameters: Parameters): string
}

type Text = Extract<Node, { type: 'text' }>

export interface Reading {
  /** Milliseconds since the epoch. */
  readonly now: number
  /** The one that is asked for beside the line. */
  readonly blueprint?: string | undefined
  /** By which `is:stale` judges. Absent: another moment than now is asked about. */
  readonly objectives?: Objectives | undefined
}

/** Throws `query_invalid` with the place. */
export async function readLine(db: Queryable, text: string, reading: Reading): Promise<Line> {
  const { now, blueprint, objectives } = reading
  const node = parseLine(text)
  const unsound =
    objectives !== undefined && asksFreshness(node) ? await unsoundPartitions(db, objectives, now) : undefined
  // Words alone name nothing.
  const plain = node.type === 'text' || (node.type === 'and' && node.parts.every((part) => part.type === 'text'))
  const all = plain && !/[<>=]/.test(text) ? new Vocabulary([]) : await Vocabulary.read(db)
  const vocabulary = all.within(node, blueprint)
  await vocabulary.learn(namesIn(node), (names, blueprints) => undeclaredAmong(db, names, blueprints))
  const parts = node.type === 'and' ? node.parts : [node]
  const texts = parts.filter((part) => part.type === 'text')
  const orders = parts.filter((part) => part.type === 'field' && part.name.toLowerCase() === 'sort')
  const rest = parts.filter((part) => part.type !== 'text' && !orders.includes(part))
  for (const one of texts) refuseSlip(one, vocabulary)
  const sort = order(orders, vocabulary)
  const condition = (parameters: Parameters): string => {
    const scene = { vocabulary, parameters, now, ...(unsound === undefined ? {} : { unsound }) }
    const phrases = texts.filter(isPhrase).map((one) => phrase(one, parameters))
    return [...rest.map((part) => compile(part, scene)), ...phrases].join(' AND ') || 'true'
  }
  const queries = texts.flatMap((one) => tsquery(one.text, !one.quoted) || [])
  const line = {
    text,
    raw: texts.map((one) => one.text).join(' '),
    condition,
    ...(texts.length === 0 ? {} : { words: queries.join(' & ') }),
    ...(sort === undefined ? {} : { sort }),
  }
  return line
}

function compile(node: Node, scene: Scene): string {
  switch (node.type) {
    case 'and':
      return node.parts.length === 0 ? 'true' : `(${node.parts.map((part) => compile(part, scene)).join(' AND ')})`
    case 'or':
      return any(node.parts.map((part) => compile(part, scene)))
    case 'not':
      return `NOT coalesce(${compile(node.part, scene)}, false)`
    case 'field':
      return fieldTest(node, scene)
    case 'text': {
      refuseSlip(node, scene.vocabulary)
      const words = tsquery(node.text, !node.quoted)
      if (words === '') return 'false'
      const found = `e.search @@ to_tsquery('simple', ${scene.parameters.add(words)})`
      return isPhrase(node) ? `(${found} AND ${phrase(node, scene.parameters)})` : found
    }
  }
}

/** A quoted text of more than a word stands there as it is, in title, identifier or a property. */
function isPhrase(node: Text): boolean {
  const [word] = searchWords(node.text)
  return node.quoted && word !== undefined && word !== node.text.toLowerCase()
}

function phrase(node: Text, parameters: Parameters): string {
  const inside = JSON.stringify(node.text).slice(1, -1)
  return `(position(lower(${parameters.add(node.text)}::text) IN lower(concat_ws(' ', e.title, e.identifier COLLATE "default"))) > 0
    OR position(lower(${parameters.add(inside)}::text) IN lower(e.properties::text)) > 0)`
}

/** `stars>10` would be searched as words and never be found. */
function refuseSlip(node: Text, vocabulary: Vocabulary): void {
  const [, name, sign, value] = node.quoted
    ? []
    : (/^([\p{L}_$][\p{L}\p{N}_.$-]*)(>=|<=|!=|=|>|<)(.+)$/u.exec(node.text) ?? [])
  if (name === undefined || !vocabulary.knows(name)) return
  const meant = sign === '!=' ? `-${name}:${value}` : `${name}:${sign === '=' ? '' : sign}${value}`
  throw lineError(`"${node.text}" has no colon.`, node.place, `Write ${meant}, or in quotes if these are words.`)
}

function order(orders: readonly Node[], vocabulary: Vocabulary): string | undefined {
  const [first, second] = orders
  if (first?.type !== 'field') return undefined
  const [value, more] = first.values
  if (second?.type === 'field' || more !== undefined || value === undefined || first.comparison !== '') {
    const { place } = second?.type === 'field' ? second : first
    throw lineError('sort: takes one name, once.', place, 'For example sort:-updated, the latest first.')
  }
  const descending = value.text.startsWith('-') ? '-' : ''
  const place = { ...value.place, start: value.place.start + descending.length }
  for (const subject of vocabulary.subjects(value.text.slice(descending.length), place)) {
    if (subject.of === 'identifier' || subject.of === 'title') return `${descending}${subject.of}`
    if (subject.of === 'time') return `${descending}${subject.column}`
    if (subject.of === 'property' && subject.path.length === 1) return `${descending}properties.${subject.path[0]}`
  }
  throw lineError(
    `Entities cannot be sorted by "${value.text}".`,
    place,
    'sort: takes a property, identifier, title, created or updated.',
  )
}
