import { CatchmentError } from '../../sdk/index.ts'
import { again } from '../again.ts'
import type { Batch } from '../batch.ts'
import type { Db } from '../db.ts'
import { Unstorable } from '../refusals.ts'
import type { Store } from '../store.ts'
import { type Desk, deskExists, openDesk, owns } from './desk.ts'
import type { ManualItem } from './item.ts'
import { draftOf, type ItemPlan, type ItemResult, nameOf, planItems } from './write.ts'
import { findWritten, type Name } from './written.ts'

/** What people and programs write over HTTP: the source `manual`. */
export interface Manual {
  /**
   * Writes fields of entities, each item by itself: one that is refused keeps none of the others. `replace`: the item is all
   * that is written about its entity from now on; otherwise what it does not name stays.
   */
  put(
    items: readonly ManualItem[],
    by: { readonly who: string; readonly replace?: boolean },
  ): Promise<readonly ItemResult[]>
  /** Takes away everything that was written about an entity. Throws `nothing_written`. */
  remove(name: Name, who: string): Promise<Removed>
  /** What a changed order of sources and changed blueprints make of what was written before. Costs nothing where nothing was. */
  refresh(): Promise<void>
}

export interface Removed {
  readonly reference: string
  /** It is in the catalog all the same: a source says so. */
  readonly exists: boolean
}

export interface ManualPorts {
  readonly db: Db
  readonly store: Store
  /** Place of what people write in the order of sources; smaller wins. */
  readonly precedence: number
  /** Milliseconds since the epoch, for people. */
  readonly now: () => number
}

export function createManual(ports: ManualPorts): Manual {
  const { db, store } = ports
  const open = async (): Promise<Desk> => {
    const desk = await openDesk(db, store, ports.precedence)
    await decideAgain(ports, desk)
    return desk
  }

  const plan = async (desk: Desk, items: readonly ManualItem[], replace: boolean): Promise<ItemPlan> => {
    const begin = await store.tick()
    const found = await findWritten(db, desk.kindId, items)
    return planItems(desk, items, found, { begin, end: await store.tick() }, replace)
  }

  const put: Manual['put'] = async (items, { who, replace = false }) => {
    const cause = { type: 'person', who, what: 'wrote fields' } as const
    return again(async () => {
      const desk = await open()
      const { results, writes } = await plan(desk, items, replace)
      if (writes.length === 0) return results
      try {
        await store.commit(batchOf(ports, desk, cause, { writes }))
      } catch (error) {
        if (!(error instanceof Unstorable)) throw error
        return items.length === 1 ? results.map((each) => unstorable(each, error)) : oneByOne(items, { who, replace })
      }
      return results
    })
  }

  /** The database cannot hold one of them: the others are written. */
  const oneByOne = async (
    items: readonly ManualItem[],
    by: Parameters<Manual['put']>[1],
  ): Promise<readonly ItemResult[]> => {
    const results: ItemResult[] = []
    for (const [index, item] of items.entries()) {
      for (const result of await put([item], by)) results.push({ ...result, index })
    }
    return results
  }

  return {
    put,
    async remove(name, who) {
      return again(async () => {
        if (!(await deskExists(db))) throw nothingWritten(nameOf(name))
        const desk = await open()
        const begin = await store.tick()
        const [found] = await findWritten(db, desk.kindId, [name])
        const record = found?.record
        const presence = record?.presences.find(({ partitionId }) => partitionId === desk.partitionId)
        if (found === undefined || record === undefined || presence === undefined) throw nothingWritten(nameOf(name))
        const removal = {
          recordId: record.id,
          partitionId: desk.partitionId,
          confirmed: presence.span.end,
          span: { begin, end: await store.tick() },
          reason: 'person',
        } as const
        const cause = { type: 'person', who, what: 'took away what was written' } as const
        await store.commit(batchOf(ports, desk, cause, { removals: [removal] }))
        return { reference: nameOf(found.name), exists: found.owned }
      })
    },
    async refresh() {
      if (await deskExists(db)) await again(open)
    },
  }
}

function batchOf(ports: ManualPorts, desk: Desk, cause: Batch['cause'], what: Partial<Batch>): Batch {
  const { sourceId, kindId, mappingId } = desk
  return { sourceId, kindId, mappingId, cause, now: ports.now(), ...what }
}

/** Blueprints that let what is written own an entity, or no longer do, decide anew about what was written before. */
async function decideAgain(ports: ManualPorts, desk: Desk): Promise<void> {
  const { store } = ports
  for (let after = 0n; ; ) {
    const rows = await store.outdated(desk.sourceId, desk.mappingId, after, 200)
    const last = rows.at(-1)
    if (last === undefined) return
    after = last.id
    const remaps = rows.map(({ id, key, version, hash, mappingId, drafts }) => ({
      key,
      expected: { id, hash, mappingId },
      version,
      // Under the name that it goes by now.
      drafts: drafts.map(({ draft }) => draftOf(draft, owns(desk.blueprints.get(draft.blueprint)))),
      quarantined: [],
      same: false,
    }))
    await store.commit(batchOf(ports, desk, { type: 'remap', mapping: desk.mappingId }, { remaps }))
  }
}

function unstorable(result: ItemResult, error: Error): ItemResult {
  const detail = `The database cannot hold it: ${error.message}`
  return { ...result, state: 'refused', errors: [{ code: 'value_invalid', detail, hint: 'Shorten names and values.' }] }
}

function nothingWritten(reference: string): CatchmentError {
  return new CatchmentError(`Nothing was written over HTTP about ${reference}.`, {
    code: 'nothing_written',
    status: 404,
    hint: `What sources say is taken away at the source. Who says what: GET /api/v1/explain?reference=${encodeURIComponent(reference)}`,
    details: { reference },
  })
}
