import { reference } from '../../model/entity.ts'
import type { Json } from '../../model/json.ts'
import type { Db, Queryable } from '../db.ts'
import { difference, emptyDocument, type Patch } from '../document.ts'
import { feedBounds, formatPosition } from './changes.ts'
import { decodeCursor, encodeCursor, type List, page } from './cursor.ts'
import { entityOfRevision, type MomentView, momentView, resolveMoment } from './moment.ts'
import { aliasesAt, everNamed, type Name, namedAt } from './names.ts'
import { snapshot } from './then.ts'
import { documentOfVersion, type Operation, type Version, versionsAt } from './versions.ts'

export interface FieldChange {
  /** `identifier`, `title`, `team`, `failed`, `properties.NAME` or `relations.NAME`. */
  readonly field: string
  /** Null: it had none. */
  readonly before: Json
  readonly after: Json
}

/** One version of an entity: what it was made by and what that changed. */
export interface VersionView {
  readonly revision: number
  /** Place in the change feed. */
  readonly seq: number
  readonly position: string
  readonly at: string
  readonly operation: Operation
  readonly reference: string
  /** What made it: a scan, a delivery, a get, a remap, a person. */
  readonly cause: Json
  /** Null: they are no longer kept; this is the version that the kept history begins with. */
  readonly changes: readonly FieldChange[] | null
}

export interface HistoryView extends List<VersionView> {
  readonly reference: string
  /** Its state after the newest version of the whole history. */
  readonly state: 'present' | 'deleted'
  /** Other entities that went by this name: ask for their history with `asOf` their last moment. */
  readonly others: readonly { readonly reference: string; readonly revision: number; readonly at: string }[]
}

export interface HistoryQuery {
  readonly limit: number
  readonly cursor?: string
  /** Of what went by the name then, up to then. */
  readonly asOf?: string
}

interface Row {
  readonly seq: string
  readonly revision: string
  readonly operation: Operation
  readonly identifier: string
  readonly patch: Patch | null
  readonly cause: Json
  readonly at: Date
  readonly kept: boolean
}

/**
 * The versions of an entity, newest first; of one that is deleted or goes by another name by now, too. Undefined: nothing
 * ever went by this name.
 */
export function entityHistory(db: Db, name: Name, query: HistoryQuery): Promise<HistoryView | undefined> {
  return snapshot(db, async (tx) => {
    const { end } = await feedBounds(tx)
    const until = query.asOf === undefined ? end : (await resolveMoment(tx, query.asOf)).position
    const preferred = query.asOf === undefined ? undefined : await entityOfRevision(tx, query.asOf)
    const found = await identify(tx, name, until.seq, preferred)
    if (found === undefined) return undefined
    const { version, others } = found
    const { limit, cursor } = query
    const shape = { entity: version.row.id, asOf: query.asOf }
    const below = cursor === undefined ? null : decodeCursor(shape, cursor, 1)[0]
    const { rows } = await tx.query<Row>(
      `SELECT * FROM (
         SELECT b.base + c.position AS seq, c.revision, c.operation, c.identifier, c.patch, b.cause, c.at, true AS kept
         FROM changes c JOIN change_batches b ON b.id = c.batch WHERE c.entity_id = $1::bigint AND b.base + c.position <= $2::bigint
         UNION ALL
         SELECT k.seq, k.revision, k.operation, '', NULL, k.cause, k.at, false FROM keyframes k WHERE k.entity_id = $1::bigint) v
       WHERE $3::bigint IS NULL OR v.revision < $3::bigint ORDER BY v.revision DESC LIMIT $4::integer`,
      [version.row.id, until.seq.toString(), below, limit + 1],
    )
    const shown = rows.slice(0, limit)
    const views = new Map<Row, VersionView>()
    for (const row of shown) views.set(row, await view(tx, version.row, end.epoch, row))
    const list = page(
      rows,
      limit,
      (row) => views.get(row),
      (last) => encodeCursor(shape, [last.revision]),
    )
    return {
      reference: reference(version.row.blueprint, version.row.identifier),
      state: version.live ? 'present' : 'deleted',
      items: list.items.filter((each) => each !== undefined),
      ...(list.next === undefined ? {} : { next: list.next }),
      others: others.map(({ row }) => ({
        reference: reference(row.blueprint, row.identifier),
        revision: Number(row.revision),
        at: row.updated_at.toISOString(),
      })),
    }
  })
}

/** The entity that a name means: what has it, is led to by it, or had it last; `preferred` if it ever had the name. */
async function identify(
  tx: Queryable,
  name: Name,
  seq: bigint,
  preferred?: string,
): Promise<{ readonly version: Version; readonly others: readonly Version[] } | undefined> {
  const all = [...(await versionsAt(tx, await everNamed(tx, name), seq)).values()]
  const live = await namedAt(tx, name, seq)
  const aliases = await aliasesAt(tx, [name], seq)
  const rank = ({ row }: Version): number =>
    row.id === preferred ? 3 : row.id === live?.row.id ? 2 : aliases.some((alias) => alias.entityId === row.id) ? 1 : 0
  const [version, ...others] = all.toSorted((a, b) => rank(b) - rank(a) || (a.seq < b.seq ? 1 : -1))
  return version === undefined ? undefined : { version, others }
}

async function view(
  tx: Queryable,
  entity: { readonly id: string; readonly blueprint: string; readonly identifier: string },
  epoch: string,
  row: Row,
): Promise<VersionView> {
  const seq = BigInt(row.seq)
  return {
    revision: Number(row.revision),
    seq: Number(row.seq),
    position: formatPosition({ epoch, seq }),
    at: row.at.toISOString(),
    operation: row.operation,
    reference: reference(entity.blueprint, row.identifier === '' ? entity.identifier : row.identifier),
    cause: row.cause,
    changes: row.kept ? await changesOf(tx, entity.id, row) : null,
  }
}

async function changesOf(tx: Queryable, id: string, row: Row): Promise<readonly FieldChange[]> {
  if (row.operation !== 'created' && row.operation !== 'deleted') return listed(row.patch)
  // What came with its creation, or went with its deletion, is everything it said.
  const version = (await versionsAt(tx, [id], BigInt(row.seq))).get(id)
  if (version === undefined) return []
  const document = documentOfVersion(version)
  return listed(row.operation === 'created' ? difference(emptyDocument, document) : difference(document, emptyDocument))
}

function listed(patch: Patch | null | undefined): readonly FieldChange[] {
  return Object.entries(patch ?? {}).map(([field, [before, after]]) => ({ field, before, after }))
}

export interface DiffView {
  readonly reference: string
  readonly from: Side
  readonly to: Side
  readonly changes: readonly FieldChange[]
}

/** `version` null: it was not there. */
export interface Side extends MomentView {
  readonly version: { readonly revision: number; readonly reference: string; readonly at: string } | null
}

/**
 * What differs between an entity at two moments; by default between its newest version and the one before. Undefined:
 * nothing ever went by this name.
 */
export function entityDiff(
  db: Db,
  name: Name,
  range: { readonly from?: string; readonly to?: string },
): Promise<DiffView | undefined> {
  return snapshot(db, async (tx) => {
    const { end, start } = await feedBounds(tx)
    const id = (await identify(tx, name, end.seq))?.version.row.id
    if (id === undefined) return undefined
    const to = range.to === undefined ? { position: end, at: null } : await resolveMoment(tx, range.to, id)
    const after = (await versionsAt(tx, [id], to.position.seq)).get(id)
    const before = { epoch: end.epoch, seq: after === undefined ? start.seq : after.seq - 1n }
    const from = range.from === undefined ? { position: before, at: null } : await resolveMoment(tx, range.from, id)
    const earlier = (await versionsAt(tx, [id], from.position.seq)).get(id)
    const last = after ?? earlier
    const patch = difference(said(earlier), said(after))
    const renamed =
      earlier?.live === true && after?.live === true && earlier.row.identifier !== after.row.identifier
        ? [{ field: 'identifier', before: earlier.row.identifier, after: after.row.identifier }]
        : []
    return {
      reference: last === undefined ? reference(name.blueprint, name.identifier) : nameOf(last),
      from: { ...momentView(from), version: side(earlier) },
      to: { ...momentView(to), version: side(after) },
      changes: [...renamed, ...listed(patch)],
    }
  })
}

function said(version: Version | undefined): ReturnType<typeof documentOfVersion> {
  return version?.live === true ? documentOfVersion(version) : emptyDocument
}

function side(version: Version | undefined): Side['version'] {
  if (version?.live !== true) return null
  const { row } = version
  return { revision: Number(row.revision), reference: nameOf(version), at: row.updated_at.toISOString() }
}

function nameOf({ row }: Version): string {
  return reference(row.blueprint, row.identifier)
}
