import { hash } from 'node:crypto'
import type { SearchQuery } from '../model/entity.ts'
import type { Json } from '../model/json.ts'
import { array } from './binary.ts'
import type { Queryable } from './db.ts'
import { type Document, storableJson } from './document.ts'

export interface Asked {
  readonly blueprint: string
  readonly query: SearchQuery
}

/** Searches once each, however many ask for them, in the order of `asked`. Held to the end of the transaction, so that none is forgotten meanwhile. */
export async function searchIds(tx: Queryable, asked: readonly Asked[]): Promise<readonly bigint[]> {
  const digests = asked.map(digestOf)
  // In one order, so that two writers wait for each other instead of for ever.
  const distinct = [...new Map(asked.map((each, index) => [digests[index] ?? '', each]))].toSorted(([a], [b]) =>
    a < b ? -1 : 1,
  )
  for (;;) {
    for (const [digest, { blueprint, query }] of distinct) {
      await tx.query(
        `INSERT INTO searches (digest, blueprint, query, leaves)
         SELECT decode($1, 'hex'), $2, $3, $4::int8[] WHERE NOT EXISTS (SELECT FROM searches WHERE digest = decode($1, 'hex'))
         ON CONFLICT (digest) DO NOTHING`,
        [digest, blueprint, storableJson(query), array('int8', leavesOf(blueprint, query) ?? [wildcard(blueprint)])],
        { name: 'insert_search' },
      )
    }
    const { rows } = await tx.query<{ digest: string; id: string }>(
      `/* lock:searches */ SELECT encode(digest, 'hex') AS digest, id FROM searches
       WHERE digest = ANY (SELECT decode(d, 'hex') FROM unnest($1::text[]) d) ORDER BY digest FOR KEY SHARE`,
      [distinct.map(([digest]) => digest)],
    )
    const ids = new Map(rows.map(({ digest, id }) => [digest, BigInt(id)]))
    const found = digests.flatMap((digest) => ids.get(digest) ?? [])
    if (found.length === asked.length) return found
  }
}

function digestOf({ blueprint, query }: Asked): string {
  return hash('md5', JSON.stringify([blueprint, normal(query)]), 'hex')
}

function normal(query: SearchQuery): Json {
  const rules = query.rules.map(
    (rule): Json => ('rules' in rule ? normal(rule) : [rule.property, rule.operator, rule.value]),
  )
  return [query.combinator, rules]
}

/** Everything that says a search may find nothing has to be looked at again when any entity of the blueprint changes. */
function wildcard(blueprint: string): bigint {
  return leaf(blueprint, '*', null)
}

function leaf(blueprint: string, property: string, value: Json): bigint {
  return hash('md5', JSON.stringify([blueprint, property, value]), 'buffer').readBigInt64BE(0)
}

/** Every entity that matches has one of these. Undefined: no index can tell. */
function leavesOf(blueprint: string, { combinator, rules }: SearchQuery): readonly bigint[] | undefined {
  const parts = rules.map((rule) => ('rules' in rule ? leavesOf(blueprint, rule) : ruleLeaves(blueprint, rule)))
  const known = parts.filter((part) => part !== undefined)
  if (combinator === 'or') return known.length === parts.length && parts.length > 0 ? known.flat() : undefined
  return known.toSorted((a, b) => a.length - b.length)[0]
}

function ruleLeaves(
  blueprint: string,
  { property, operator, value }: { readonly property: string; readonly operator: string; readonly value: Json },
): readonly bigint[] | undefined {
  if (property.startsWith('relations.') || !isIndexed(property)) return undefined
  const values = operator === '=' ? [value] : operator === 'in' && Array.isArray(value) ? value : undefined
  return values?.every(isScalar) === true ? values.map((each) => leaf(blueprint, property, each)) : undefined
}

function isIndexed(property: string): boolean {
  return !property.startsWith('$') || property === '$identifier' || property === '$title'
}

function isScalar(value: Json): boolean {
  return value !== null && typeof value !== 'object'
}

/** The leaves of searches that may find it. */
export function leavesOfEntity(
  blueprint: string,
  identifier: string,
  { title, properties }: Document,
): readonly bigint[] {
  const said = Object.entries(properties).filter(([, value]) => isScalar(value))
  return [
    wildcard(blueprint),
    leaf(blueprint, '$identifier', identifier),
    ...(title === null ? [] : [leaf(blueprint, '$title', title)]),
    ...said.map(([name, value]) => leaf(blueprint, name, value)),
  ]
}
