import { reference } from '../model/entity.ts'
import { CatchmentError } from '../sdk/index.ts'
import { again } from './again.ts'
import type { Batch } from './batch.ts'
import type { Db, Queryable } from './db.ts'
import { createStore } from './postgres-store.ts'
import { type Pinned, pinnedEntity } from './query/pinned.ts'
import { StaleDecision } from './refusals.ts'

export interface Undo {
  /**
   * Puts a deleted entity back as it was, with its id and history, and pins it: it stays whatever scans find, until its
   * source shows it again, another object takes its name, or somebody ends the pin. By its last or a former name. Throws
   * `entity_unknown` (404), `not_deleted` (409), `undo_impossible` (409).
   */
  undo(name: Name, by: { readonly who: string; readonly reason?: string }): Promise<Pinned>
  /** Ends the pin: what no source shows is deleted. Throws `not_pinned` (409), `entity_unknown` (404). */
  unpin(name: Name, by: { readonly who: string }): Promise<{ readonly reference: string; readonly exists: boolean }>
}

export interface UndoPorts {
  readonly db: Db
  /** Milliseconds since the epoch. */
  readonly now: () => number
}

interface Name {
  readonly blueprint: string
  readonly identifier: string
}

export function createUndo({ db, now }: UndoPorts): Undo {
  return {
    undo: (name, { who, reason }) =>
      again(async () => {
        const found = await deletedEntity(db, name)
        const { entityId } = found
        const pin = {
          do: 'pin',
          recordId: found.recordId,
          entityId,
          ...(reason === undefined ? {} : { reason }),
        } as const
        const cause = { type: 'person', who, what: 'undid its deletion' } as const
        // One of its own, since it remembers what blueprints say for as long as it lives.
        await createStore(db).commit({ ...found.place, cause, now: now(), pin })
        const pinned = await pinnedEntity(db, entityId.toString())
        if (pinned === undefined) throw new StaleDecision(`the pin of entity ${entityId} has ended already`)
        return pinned
      }),
    unpin: (name, { who }) =>
      again(async () => {
        const found = await pinnedByName(db, name)
        const { recordId, entityId } = found
        const cause = { type: 'person', who, what: 'ended its pin' } as const
        const { deleted } = await createStore(db).commit({
          ...found.place,
          cause,
          now: now(),
          pin: { do: 'unpin', recordId, entityId },
        })
        return { reference: found.reference, exists: deleted === 0 }
      }),
  }
}

interface Found {
  readonly reference: string
  readonly entityId: bigint
  readonly recordId: bigint
  /** Where the record lies. */
  readonly place: Pick<Batch, 'sourceId' | 'kindId' | 'mappingId'>
}

async function deletedEntity(db: Queryable, name: Name): Promise<Found> {
  const { rows } = await db.query<{
    id: string
    blueprint: string
    identifier: string
    live: boolean
    anchor: string | null
  }>(
    `SELECT e.id, e.blueprint, e.identifier, e.deleted IS NULL AS live, e.anchor, e.revision FROM entities e
     WHERE e.blueprint = $1 AND e.identifier = $2 AND e.anchor IS NOT NULL
     UNION ALL
     SELECT e.id, e.blueprint, e.identifier, e.deleted IS NULL, e.anchor, e.revision
     FROM aliases a JOIN entities e ON e.id = a.entity_id AND e.anchor IS NOT NULL
     WHERE a.blueprint = $1 AND a.identifier = $2
     ORDER BY live DESC, revision DESC`,
    [name.blueprint, name.identifier],
  )
  const [row] = rows
  if (row === undefined) throw entityUnknown(name)
  const is = reference(row.blueprint, row.identifier)
  if (row.live) throw notDeleted(is, (await pinnedEntity(db, row.id)) !== undefined)
  const place = row.anchor === null ? undefined : await placeOf(db, row.anchor)
  if (place === undefined) {
    throw new CatchmentError(`${is} cannot be put back: the record that it was made of is not kept any more.`, {
      code: 'undo_impossible',
      status: 409,
      hint: 'Its source was removed. Configure it again, or write the entity over HTTP: POST /api/v1/entities',
      details: { reference: is },
    })
  }
  return { reference: is, entityId: BigInt(row.id), recordId: BigInt(row.anchor ?? 0), place }
}

async function pinnedByName(db: Queryable, { blueprint, identifier }: Name): Promise<Found> {
  const { rows } = await db.query<{ id: string; record: string | null }>(
    `SELECT e.id, p.record_id AS record FROM entities e LEFT JOIN pins p ON p.entity_id = e.id
     WHERE e.blueprint = $1 AND e.identifier = $2 AND e.deleted IS NULL AND NOT e.stub`,
    [blueprint, identifier],
  )
  const [row] = rows
  if (row === undefined) throw entityUnknown({ blueprint, identifier })
  const is = reference(blueprint, identifier)
  const place = row.record === null ? undefined : await placeOf(db, row.record)
  if (row.record === null || place === undefined) {
    throw new CatchmentError(`${is} is not pinned.`, {
      code: 'not_pinned',
      status: 409,
      hint: 'What is pinned: catchment pins, or GET /api/v1/pins',
      details: { reference: is },
    })
  }
  return { reference: is, entityId: BigInt(row.id), recordId: BigInt(row.record), place }
}

async function placeOf(db: Queryable, record: string): Promise<Found['place'] | undefined> {
  const { rows } = await db.query<{ kind: number; source: number; mapping: number | null }>(
    `SELECT k.id AS kind, s.id AS source, s.mapping_id AS mapping
     FROM records r JOIN kinds k ON k.id = r.kind_id JOIN sources s ON s.id = k.source_id WHERE r.id = $1`,
    [record],
  )
  const [row] = rows
  return row?.mapping == null ? undefined : { sourceId: row.source, kindId: row.kind, mappingId: row.mapping }
}

function entityUnknown({ blueprint, identifier }: Name): CatchmentError {
  const name = reference(blueprint, identifier)
  return new CatchmentError(`${name} is not in the catalog and never was, as far as history is kept.`, {
    code: 'entity_unknown',
    status: 404,
    hint: `Ask why: GET /api/v1/explain?reference=${encodeURIComponent(name)} or catchment explain ${name}`,
    details: { reference: name },
  })
}

function notDeleted(name: string, pinned: boolean): CatchmentError {
  return new CatchmentError(`${name} is in the catalog${pinned ? ', pinned' : ''}: there is no deletion to undo.`, {
    code: 'not_deleted',
    status: 409,
    hint: pinned
      ? `End its pin with catchment unpin ${name}`
      : `Its versions: catchment history ${name}. An earlier one of that name: catchment get ${name} --as-of TIME`,
    details: { reference: name },
  })
}
