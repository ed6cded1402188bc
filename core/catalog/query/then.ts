import { reference } from '../../model/entity.ts'
import type { Db, Queryable } from '../db.ts'
import { noRules, type Ref, type Rules, refsOf } from '../refs.ts'
import { type RulesCache, rulesFor } from '../rules.ts'
import type { LinkOut } from './entity.ts'
import { entityOfRevision, isRevision, type Moment, type MomentView, momentView, resolveMoment } from './moment.ts'
import { currentNamesAt, everNamed, type Name, namedAt } from './names.ts'
import { type Version, versionsAt } from './versions.ts'
import { type EntityRow, type EntityView, entityView, type Targets } from './view.ts'

/** An entity as it was then. */
export interface EntityThen extends EntityView {
  readonly id: string
  readonly asOf: MomentView
  readonly askedAs?: string
  readonly links: { readonly out: readonly LinkOut[] }
}

/** One snapshot of the database, so that no change comes between the statements. */
export function snapshot<T>(db: Db, work: (tx: Queryable) => Promise<T>): Promise<T> {
  return db.transaction(work, { isolation: 'repeatable read', readOnly: true })
}

/** By the name that it had then. Undefined: nothing went by this name then. Throws what `resolveMoment` throws. */
export function getEntityAsOf(db: Db, name: Name, asOf: string): Promise<EntityThen | undefined> {
  return snapshot(db, async (tx) => {
    const { moment, version } = await versionOf(tx, name, asOf)
    const { seq } = moment.position
    if (version === undefined) return undefined
    const rules = await blueprintRules(tx)
    const refs = refsOfRow(version.row, rules)
    const resolved = await currentNamesAt(tx, refs, seq)
    const view = entityView(version.row, targetsOf(refs, resolved))
    const asked = reference(name.blueprint, name.identifier)
    return {
      ...view,
      asOf: momentView(moment),
      ...(asked === view.reference ? {} : { askedAs: asked }),
      links: { out: await linksOut(tx, refs, resolved, seq) },
    }
  })
}

/** A revision is one of an entity, whoever else went by the name; anything else is a moment of the catalog. */
async function versionOf(
  tx: Queryable,
  name: Name,
  asOf: string,
): Promise<{ readonly moment: Moment; readonly version: Version | undefined }> {
  if (!isRevision(asOf)) {
    const moment = await resolveMoment(tx, asOf)
    return { moment, version: await namedAt(tx, name, moment.position.seq) }
  }
  const ids = await everNamed(tx, name)
  const id = (await entityOfRevision(tx, asOf)) ?? ids[0]
  if (id === undefined || !ids.includes(id)) {
    const moment = await resolveMoment(tx, asOf)
    return { moment, version: await namedAt(tx, name, moment.position.seq) }
  }
  const moment = await resolveMoment(tx, asOf, id)
  const version = (await versionsAt(tx, [id], moment.position.seq)).get(id)
  return { moment, version: version?.live === true ? version : undefined }
}

/** Those of today: a blueprint has no history. */
export function blueprintRules(tx: Queryable): Promise<ReadonlyMap<string, Rules>> {
  const cache: RulesCache = new Map()
  return rulesFor(tx, 0, cache)
}

export function refsOfRow(row: EntityRow, rules: ReadonlyMap<string, Rules>): readonly Ref[] {
  // A null is never stored.
  const relations = row.relations as Parameters<typeof refsOf>[0]
  return [...refsOf(relations, rules.get(row.blueprint) ?? noRules)]
}

/** For `entityView`: by relation, under the names of then. */
export function targetsOf(refs: readonly Ref[], resolved: ReadonlyMap<string, Version>): Targets {
  const targets = new Map<string, string[]>()
  for (const { relation, blueprint, identifier } of refs) {
    const said = reference(blueprint, identifier)
    const row = resolved.get(said)?.row
    const list = targets.get(relation) ?? []
    list.push(row === undefined ? said : reference(row.blueprint, row.identifier))
    targets.set(relation, list)
  }
  return targets
}

/** Titles and presence of what it pointed at, as they were then. */
async function linksOut(
  tx: Queryable,
  refs: readonly Ref[],
  resolved: ReadonlyMap<string, Version>,
  seq: bigint,
): Promise<readonly LinkOut[]> {
  const literal = refs.filter(({ blueprint, identifier }) => !resolved.has(reference(blueprint, identifier)))
  const { rows } = await tx.query<{ id: string }>(
    `SELECT DISTINCT e.id FROM unnest($1::text[], $2::text[]) n (blueprint, identifier)
     JOIN entities e USING (blueprint, identifier) WHERE NOT e.stub
     UNION SELECT c.entity_id FROM unnest($1::text[], $2::text[]) n (blueprint, identifier)
     JOIN changes c ON c.operation = 'renamed' AND c.blueprint = n.blueprint AND c.patch #>> '{identifier,0}' = n.identifier`,
    [literal.map((ref) => ref.blueprint), literal.map((ref) => ref.identifier)],
  )
  const found = await versionsAt(
    tx,
    rows.map((row) => row.id),
    seq,
  )
  const named = new Map(
    [...found.values()]
      .filter(({ live }) => live)
      .map((version) => [reference(version.row.blueprint, version.row.identifier), version] as const),
  )
  const byRelation = (a: Ref, b: Ref): number => (a.relation < b.relation ? -1 : a.relation > b.relation ? 1 : 0)
  return refs.toSorted(byRelation).map(({ relation, blueprint, identifier }) => {
    const said = reference(blueprint, identifier)
    const version = resolved.get(said) ?? named.get(said)
    if (version === undefined) return { relation, reference: said, title: null, state: 'missing' }
    const { row } = version
    return { relation, reference: reference(row.blueprint, row.identifier), title: row.title, state: 'present' }
  })
}
