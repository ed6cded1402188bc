import { hash } from 'node:crypto'
import type { Blueprint } from '../../model/blueprint.ts'
import type { Db } from '../db.ts'
import { MANUAL, type Store } from '../store.ts'

/** What must be known to write: ids of the source, its kind and partition, the active version of its rules, all blueprints. */
export interface Desk {
  readonly sourceId: number
  readonly kindId: number
  readonly partitionId: number
  readonly mappingId: number
  readonly blueprints: ReadonlyMap<string, Blueprint>
}

const KIND = 'entity'
const PARTITION = 'written'

/** Name and item of every contribution of the source. */
export const MAPPING = 'written'
export const ITEM = '0'

export function owns(blueprint: Blueprint | undefined): boolean {
  return blueprint?.manual === 'own'
}

/** Makes the source at the first use; without one there is nothing of it to see. */
export async function openDesk(db: Db, store: Store, precedence: number): Promise<Desk> {
  const blueprints = await readBlueprints(db)
  const source = await store.saveSource({ name: MANUAL, integration: MANUAL, precedence })
  const active = await store.activeMapping(source.id)
  const version = rulesVersion(blueprints)
  const mappingId =
    active?.hash === version
      ? active.id
      : await store.activateMapping(source.id, { hash: version, content: {}, blueprints: [] })
  const kind = await store.kind(source.id, KIND)
  const partition = await store.savePartition(undefined, kind.id, PARTITION)
  if (partition.state !== 'known') await db.query(`UPDATE partitions SET state = 'known' WHERE id = $1`, [partition.id])
  return { sourceId: source.id, kindId: kind.id, partitionId: partition.id, mappingId, blueprints }
}

/** Whether anything was ever written here. */
export async function deskExists(db: Db): Promise<boolean> {
  const { rows } = await db.query('SELECT FROM sources WHERE name = $1', [MANUAL])
  return rows.length > 0
}

export async function readBlueprints(db: Db): Promise<ReadonlyMap<string, Blueprint>> {
  const { rows } = await db.query<{ document: Blueprint }>('SELECT document FROM blueprints')
  return new Map(rows.map(({ document }) => [document.identifier, document]))
}

/** What decides between owning and adding. Records that were written under another version are gone through again. */
export function rulesVersion(blueprints: ReadonlyMap<string, Blueprint>): string {
  const owning = [...blueprints.values()].filter(owns).map(({ identifier }) => identifier)
  return `written 1 ${hash('sha256', JSON.stringify(owning.toSorted()), 'hex')}`
}
