import { PIN } from '../../pins.ts'
import { MANUAL } from '../../store.ts'
import type { Freshness } from '../freshness.ts'
import type { Parameters } from '../sql.ts'
import { lineError, type Node, type Value } from './parse.ts'
import { advice } from './vocabulary.ts'

/** Partitions that are not fresh now. */
export type Unsound = Readonly<Record<'stale' | 'unknown', readonly number[]>>

const freshnesses: readonly string[] = ['fresh', 'stale', 'unknown'] satisfies readonly Freshness[]
const states = [...freshnesses, 'failed', 'held', 'pinned', 'stub']

/** Does the line ask how true something is? Only then are all partitions judged. */
export function asksFreshness(node: Node): boolean {
  switch (node.type) {
    case 'and':
    case 'or':
      return node.parts.some(asksFreshness)
    case 'not':
      return asksFreshness(node.part)
    case 'field':
      return node.name.toLowerCase() === 'is' && node.values.some(({ text }) => freshnesses.includes(lower(text)))
    case 'text':
      return false
  }
}

/** `is:NAME` over `entities` under the alias. Throws `query_invalid`. */
export function stateTest(value: Value, unsound: Unsound | undefined, parameters: Parameters, e: string): string {
  const state = lower(value.text)
  switch (state) {
    case 'failed':
      return `${e}.failed IS NOT NULL`
    case 'stub':
      return `${e}.anchor IS NULL`
    case 'pinned':
      return `EXISTS (SELECT FROM contributions c WHERE c.entity_id = ${e}.id AND c.mapping = '${PIN}')`
    case 'held':
      return `EXISTS (SELECT FROM contributions c JOIN held h ON h.record_id = c.record_id AND h.state = 'pending' WHERE c.entity_id = ${e}.id)`
    case 'fresh':
    case 'stale':
    case 'unknown':
      break
    default:
      throw lineError(`Nothing is "${value.text}".`, value.place, advice(state, states, 'States'))
  }
  if (unsound === undefined) {
    const hint = `Leave out is:${state} or the moment: what was is not judged by how fresh its sources are now.`
    throw lineError(`is:${state} is about now.`, value.place, hint)
  }
  return freshnessTest(state, unsound, parameters, e)
}

/** As `entityFreshness` judges one entity: the worst of where its records were seen; unknown where nothing speaks for it. */
function freshnessTest(state: Freshness, unsound: Unsound, parameters: Parameters, e: string): string {
  const among = (ids: readonly number[]): string => `x.partition_id = ANY (${parameters.add(ids)}::int[])`
  const origin = (condition: string): string => `EXISTS (SELECT FROM contributions c
    JOIN records r ON r.id = c.record_id JOIN kinds k ON k.id = r.kind_id JOIN sources o ON o.id = k.source_id
    LEFT JOIN presences x ON x.record_id = c.record_id AND NOT x.ended WHERE c.entity_id = ${e}.id AND ${condition})`
  const pinned = `c.mapping = '${PIN}'`
  const listed = `o.name <> '${MANUAL}' AND NOT ${pinned}`
  const unknown = (): string =>
    `(NOT EXISTS (SELECT FROM contributions c WHERE c.entity_id = ${e}.id) OR ${origin(
      `(${pinned} OR (${listed} AND (x.partition_id IS NULL OR ${among(unsound.unknown)})))`,
    )})`
  const stale = (): string => origin(`(${listed} AND ${among(unsound.stale)})`)
  switch (state) {
    case 'unknown':
      return unknown()
    case 'stale':
      return `(${stale()} AND NOT ${unknown()})`
    case 'fresh':
      return `NOT (${unknown()} OR ${stale()})`
  }
}

function lower(text: string): string {
  return text.toLowerCase()
}
