import { parseReference } from '../../model/entity.ts'
import type { Db, Queryable } from '../db.ts'
import { explainAbsent, refusedItem, replacedBy } from './absent.ts'
import { wantedBecause } from './because.ts'
import { latestChanges } from './changes.ts'
import { contributionsOf } from './contributions.ts'
import { listEntities } from './entities.ts'
import { type EntityDetail, getEntity } from './entity.ts'
import {
  type Evaluate,
  type ExplainedContribution,
  type Explanation,
  type Insight,
  noInsight,
  nothing,
} from './explanation.ts'
import { type HeldView, heldOfEntity } from './held.ts'
import { recordExplained, recordsNamed, successor } from './lookup.ts'
import { fieldsOf } from './provenance.ts'
import { refusedSummary, setAsideByKey } from './set-aside.ts'
import { Parameters } from './sql.ts'
import { visible } from './view.ts'

/**
 * Why is this here, or not here? `text`: `blueprint:identifier`, `record:source/kind/key`, or just a name. Always
 * answers: not to be there has a reason, too.
 */
export async function explain(
  db: Db,
  text: string,
  evaluate: Evaluate,
  insight: Insight = noInsight,
): Promise<Explanation> {
  const named = parseReference(text)
  if (named?.blueprint === 'record') return explainRecord(db, text, named.identifier, evaluate, insight)
  const entity = named === undefined ? undefined : await getEntity(db, named.blueprint, named.identifier)
  if (entity !== undefined) return explainPresent(db, text, entity, insight)
  if (named !== undefined && (await blueprintExists(db, named.blueprint))) {
    return explainAbsent(db, text, named, evaluate, insight)
  }
  const names = namesIn(text)
  let candidates: readonly string[] = await byAddress(db, text)
  for (const name of names) {
    if (candidates.length > 0) break
    candidates = await namesLike(db, name)
  }
  // Nothing goes by just that name; the best of what its words find.
  if (candidates.length === 0 && names.length === 1) candidates = await byWords(db, text, evaluate)
  const only = candidates[0]
  if (only !== undefined && candidates.length === 1) {
    const found = parseReference(only)
    const detail = found === undefined ? undefined : await getEntity(db, found.blueprint, found.identifier)
    if (detail !== undefined) return explainPresent(db, text, detail, insight)
  }
  if (candidates.length > 1) {
    const summary = `Several entities go by "${text}"; ask for one of them.`
    const next = candidates.slice(0, 3).map((one) => `catchment explain ${one}`)
    return { ...nothing, reference: text, state: 'ambiguous', summary, candidates, next }
  }
  for (const name of names.length > 1 ? names : []) {
    const found = await explainAbsent(db, text, { blueprint: undefined, identifier: name }, evaluate, insight)
    if (found.records.length > 0 || found.entity !== undefined) return found
  }
  return explainAbsent(db, text, named ?? { blueprint: undefined, identifier: names[0] ?? text }, evaluate, insight)
}

/** Of an address its path, ever shorter: a file of a repository is the repository's. Anything else is one name. */
function namesIn(text: string): readonly string[] {
  if (!/^https?:\/\//i.test(text) || !URL.canParse(text)) return [text]
  const parts = new URL(text).pathname
    .split('/')
    .filter((part) => part !== '')
    .map(decoded)
  return parts.length === 0 ? [text] : parts.map((_, index) => parts.slice(0, parts.length - index).join('/'))
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}

/** Entities of which a property is this address. */
async function byAddress(db: Queryable, text: string): Promise<readonly string[]> {
  if (!/^https?:\/\//i.test(text)) return []
  const { rows: properties } = await db.query<{ name: string }>(
    `SELECT DISTINCT p.key AS name FROM blueprints b, jsonb_each(b.document #> '{schema,properties}') p
     WHERE p.value ->> 'format' = 'url' OR p.key ~* '(url|link)$' LIMIT 50`,
  )
  if (properties.length === 0) return []
  const parameters = new Parameters()
  const wanted = [...new Set([text, text.replace(/\/+$/, '')])]
  const matches = properties.flatMap(({ name }) =>
    wanted.map((url) => `e.properties @> ${parameters.add(JSON.stringify({ [name]: url }))}::jsonb`),
  )
  const { rows } = await db.query<{ name: string }>(
    `SELECT e.blueprint || ':' || e.identifier AS name FROM entities e WHERE ${visible} AND (${matches.join(' OR ')}) ORDER BY 1 LIMIT 10`,
    parameters.values,
  )
  return rows.map(({ name }) => name)
}

/** Only while no record goes by that very name: then that is what was meant. */
async function byWords(db: Db, text: string, evaluate: Evaluate): Promise<readonly string[]> {
  if (text.includes(':') || (await recordsNamed(db, text, evaluate)).length > 0) return []
  const { items } = await listEntities(db, { q: text, limit: 10 })
  const exact = items.filter(({ identifier }) => identifier.toLowerCase().endsWith(`/${text.toLowerCase()}`))
  return (exact.length > 0 ? exact : items).map((one) => one.reference)
}

async function explainPresent(db: Db, text: string, entity: EntityDetail, insight: Insight): Promise<Explanation> {
  const contributions = await contributionsOf(db, entity.id, insight)
  const held = await heldOfEntity(db, entity.id)
  const changes = await latestChanges(db, { entityId: entity.id }, 10)
  const owners = contributions.filter((one) => one.owning)
  const first = owners[0] ?? contributions[0]
  const origin =
    entity.stub === true
      ? ` as a stub: no source has it, and it was made because ${await wantedBecause(db, entity)}`
      : first === undefined
        ? ''
        : ` because ${first.source} has the ${first.kind} ${first.key}${owners.length > 1 ? ` and ${owners.length - 1} more say so` : ''}`
  const renamed = entity.askedAs !== undefined
  const removal = held.find(({ what }) => !what.startsWith('property'))
  const { pinned } = entity
  const kept = removal === undefined ? '' : ` A guard holds its removal: ${removal.reason}`
  const ill = contributions.flatMap(({ partitions }) => partitions).some(({ freshness }) => freshness !== 'fresh')
  return {
    ...nothing,
    cause: removal === undefined ? null : 'held',
    next: [
      ...(removal === undefined ? [] : [`catchment held --source ${removal.source} --kind ${removal.kind}`]),
      ...(ill ? ['catchment status'] : []),
      ...(pinned === undefined ? [] : [`catchment unpin ${entity.reference}`]),
      `catchment history ${entity.reference}`,
    ],
    fields: await fieldsOf(db, entity, contributions, insight),
    reference: text,
    state: renamed ? 'renamed' : 'present',
    summary: renamed
      ? `${entity.askedAs} is now ${entity.reference}, in the catalog${origin}.`
      : pinned === undefined
        ? `${entity.reference} is in the catalog${origin}.${kept}`
        : `${entity.reference} is in the catalog because ${pinned.who} undid its deletion at ${pinned.at}${pinned.reason === null ? '' : ` (${pinned.reason})`}. It is pinned: a deviation from its source, which does not show it.`,
    notes: [
      ...presentNotes(entity, contributions, held),
      ...(entity.conflict ?? []).map(
        ({ source, kind, key, wins }) =>
          `record:${source}/${kind}/${key} claims this name, which only one may have: ${wins ? 'it is heard' : 'it is not heard'}.`,
      ),
      ...entity.dangling.map(({ detail }) => detail),
      ...(await setAsideByKey(db, contributions)).map((one) => `${refusedSummary(one)} What is shown is older.`),
    ],
    entity: {
      reference: entity.reference,
      title: entity.title,
      revision: entity.revision,
      updatedAt: entity.updatedAt,
      failed: entity.failed,
      deleted: null,
    },
    contributions,
    held,
    changes,
  }
}

function presentNotes(
  entity: EntityDetail,
  contributions: readonly ExplainedContribution[],
  held: readonly HeldView[],
): readonly string[] {
  const unknown = contributions.flatMap((one) => one.partitions.filter((partition) => partition.state === 'unknown'))
  return [
    ...entity.failed.map((problem) => `${problem.field} keeps its last good value: ${problem.message}`),
    ...(entity.pinned === undefined
      ? []
      : [
          'What it says is what it said last; the pin ends when its source shows it again, or another object takes its name.',
        ]),
    ...(held.length > 0 ? [`${held.length} held: a guard stopped what would take something of it away.`] : []),
    ...unknown.map((partition) => `${partition.name} cannot be read now: ${partition.reason ?? 'no reason was given'}`),
  ]
}

async function explainRecord(
  db: Db,
  text: string,
  path: string,
  evaluate: Evaluate,
  insight: Insight = noInsight,
): Promise<Explanation> {
  const [source, kind, ...rest] = path.split('/')
  const key = rest.join('/')
  const record =
    source === undefined || kind === undefined || key === ''
      ? undefined
      : await recordExplained(db, { source, kind, key }, evaluate, insight)
  const [refused] = source === undefined || kind === undefined ? [] : await setAsideByKey(db, [{ source, kind, key }])
  if (record === undefined && refused !== undefined) return { ...nothing, reference: text, ...refusedItem(refused) }
  if (record === undefined) {
    const summary = `No record ${path} was ever seen. Write record:SOURCE/KIND/KEY, with the key the source uses.`
    return {
      ...nothing,
      cause: 'never_seen',
      reference: text,
      state: 'never_seen',
      summary,
      next: ['catchment status'],
    }
  }
  const heir = record.state === 'gone' ? await successor(db, record) : undefined
  if (heir !== undefined) {
    return { ...nothing, reference: text, records: [record], candidates: heir.feeds, ...replacedBy(record, heir) }
  }
  const fate =
    record.state === 'gone'
      ? 'is gone from its source'
      : record.feeds.length > 0
        ? `feeds ${record.feeds.join(', ')}`
        : 'is here, but no mapping makes an entity of it now'
  return {
    ...nothing,
    reference: text,
    state: 'record',
    cause: record.state === 'gone' ? 'deleted' : null,
    next: record.feeds.slice(0, 3).map((feed) => `catchment explain ${feed}`),
    summary: `The ${kind} ${key} of ${source} ${fate}.`,
    notes: refused === undefined ? [] : [`${refusedSummary(refused)} What is shown is older.`],
    records: [record],
    candidates: record.feeds,
  }
}

async function blueprintExists(db: Queryable, identifier: string): Promise<boolean> {
  const { rows } = await db.query('SELECT FROM blueprints WHERE identifier = $1', [identifier])
  return rows.length > 0
}

/** References of entities that this is the identifier or title of, or was the identifier of. */
async function namesLike(db: Queryable, text: string): Promise<readonly string[]> {
  const { rows } = await db.query<{ name: string }>(
    `SELECT e.blueprint || ':' || e.identifier AS name FROM blueprints b
     JOIN entities e ON e.blueprint = b.identifier AND e.identifier = $1 WHERE ${visible}
     UNION
     SELECT e.blueprint || ':' || e.identifier FROM blueprints b JOIN aliases a ON a.blueprint = b.identifier AND a.identifier = $1
     JOIN entities e ON e.id = a.entity_id WHERE ${visible}
     UNION
     (SELECT e.blueprint || ':' || e.identifier FROM entities e
      WHERE e.search @@ plainto_tsquery('simple', $1) AND lower(e.title) = lower($1) AND ${visible} LIMIT 10)
     ORDER BY 1 LIMIT 10`,
    [text],
  )
  return rows.map((row) => row.name)
}
