import type { Batch, Committed, RecordRemap, RecordWrite, Removal } from './batch.ts'
import { writeChanges } from './changes.ts'
import type { Db, Queryable } from './db.ts'
import { documentOf, storable } from './document.ts'
import { ContributionMoved, loadContributions, lockEntities, type RecordRank } from './entities.ts'
import { type Fold, fold } from './fold.ts'
import { type Contribution, nameOf } from './group.ts'
import { keepLedger } from './guard.ts'
import { checkFence } from './leases.ts'
import { type Muting, mutingOf } from './muted.ts'
import { remapRecords } from './outdated.ts'
import { checkPage, writePage } from './page.ts'
import { lockReturning, pinning, writePins } from './pins.ts'
import { sqlState } from './postgres/errors.ts'
import { confirmRecords, removePresences } from './presences.ts'
import { checkRecords, insertRecords, lockRecords, numberRecords, type SayingRecord, updateRecords } from './records.ts'
import type { Rules } from './refs.ts'
import { FenceLost, StaleDecision, Unstorable } from './refusals.ts'
import { together } from './rows.ts'
import { type RulesCache, rulesFor } from './rules.ts'
import { settleBooks, writeQuarantine } from './settle.ts'
import type { Store } from './store.ts'
import { type Wanting, wantedNames, wantingOf, writeWanted } from './wanted.ts'
import { type Change, type Placed, place, writeFold } from './write.ts'

/** The batch's kind, locked to the end of the transaction: commits of one kind come one after the other. */
interface KindState {
  readonly name: string
  readonly source: string
  readonly precedence: number
  readonly live: number
  /** Of commits that wrote records of the kind before this one. */
  readonly writes: bigint
  /** The partition of the scan that the batch's page belongs to, or 0. */
  readonly scanned: number
  /** There are pins, of whatever source. */
  readonly pinned: boolean
  /** Contributions own nothing for now, of whatever source. */
  readonly muting: boolean
  /** Relations want entities to exist, of whatever source. */
  readonly wanting: boolean
}

/** `cache`: rules of the blueprints, by mapping version; emptied when another one is activated. */
export function committing(db: Db, cache: RulesCache): Pick<Store, 'commit'> {
  return {
    async commit(batch) {
      // A key that came twice is one record; the later item is what the source said last.
      const writes = [...new Map((batch.writes ?? []).map((write) => [storable(write.key), write])).values()]
      for (let attempt = 1; ; attempt++) {
        try {
          return await db.transaction((tx) => run(tx, batch, writes, cache))
        } catch (error) {
          if (isUnstorable(error)) throw new Unstorable(error.message, { cause: error })
          if (!(error instanceof ContributionMoved) || attempt === 5) throw error
        }
      }
    },
  }
}

/** Data exceptions and limits of the server: the fault is in the batch, not in the moment. */
function isUnstorable(error: unknown): error is Error {
  return /^(22|54)/.test(sqlState(error) ?? '')
}

async function run(tx: Queryable, batch: Batch, writes: readonly RecordWrite[], cache: RulesCache): Promise<Committed> {
  const { removals = [], confirmations = [], remaps = [], page } = batch
  const mutes = [...(batch.mute ?? []), ...(batch.unmute ?? [])]
  const writing =
    writes.length + remaps.length + removals.length + confirmations.length + mutes.length > 0 || batch.pin !== undefined
  const kind = await lockKind(tx, batch, writing)
  const scanned = kind.scanned

  const expected = writes.filter((write) => write.expected !== undefined)
  const locked = await lockRecords(
    tx,
    batch.kindId,
    expected.map(({ key }) => storable(key)),
    [...removals, ...confirmations, ...mutes, ...(batch.pin === undefined ? [] : [batch.pin])].map(
      ({ recordId }) => recordId,
    ),
  )
  await checkRecords(tx, locked, writes, removals, confirmations, scanned)
  const held = { partition: scanned, writes: kind.writes, writing }
  if (page !== undefined) await checkPage(tx, batch, page, held)

  const written = await numberRecords(tx, writes)
  const [inserted, updated] = [written.filter(({ isNew }) => isNew), written.filter(({ isNew }) => !isNew)]
  await updateRecords(tx, batch, updated)
  await remapRecords(tx, batch, remaps)
  const saying: readonly SayingRecord[] = [...written, ...remaps.filter(({ same }) => !same).map(remapped)]
  await confirmRecords(tx, confirmations)
  const gone = await removePresences(tx, batch, removals)
  const goneIds = [...gone.keys()]
  const merged = await mergeEntities(tx, batch, kind, saying, gone, await rulesFor(tx, batch.mappingId, cache))
  const revived = writes.filter((write) => write.expected?.state !== 'live').length

  // Everything is locked and decided. While the server writes what one of these sent, the next makes its rows.
  let changes: readonly Change[] = []
  await together(
    () => insertRecords(tx, batch, inserted),
    async () => {
      if (merged === undefined) return
      changes = await writeFold(tx, batch, merged.plan, merged.placed, merged.replaced, gone)
    },
    () => writeWanted(tx, merged?.wanting, kind.wanting),
    async () => merged?.muting?.write(goneIds),
    () => writeQuarantine(tx, saying, goneIds, batch.now),
    async () => {
      if (page === undefined) return
      await writePage(tx, batch, page, held, new Map(written.map(({ id, write }) => [write.key, id])))
    },
    () => settleBooks(tx, batch, goneIds),
    () => keepLedger(tx, batch, kind.live, kind.live + revived - gone.size),
  )
  const id = await writeChanges(tx, batch, changes)
  await checkFence(tx, batch)
  return { ...count(changes), ...(id === undefined ? {} : { batch: id }) }
}

/**
 * A commit reads what it names by keys and nothing else. While a first load runs there are no statistics, and the planner
 * would read whole tables and indexes for a page; to the end of the transaction it may not.
 */
const byKeysOnly = ['seqscan', 'bitmapscan', 'hashjoin', 'mergejoin']
  .map((way) => `set_config('enable_${way}', 'off', true)`)
  .join(', ')

async function lockKind(tx: Queryable, { kindId, page }: Batch, writing: boolean): Promise<KindState> {
  const columns = `k.name, s.name AS source, s.precedence, k.live,
    coalesce((SELECT n.partition_id FROM scans n WHERE n.id = $2), 0) AS scanned, EXISTS (SELECT FROM pins) AS pinned,
    EXISTS (SELECT FROM wanted) AS wanting,
    EXISTS (SELECT FROM muted) AS muting, ${byKeysOnly}`
  const { rows } = await tx.query<Omit<KindState, 'live' | 'writes'> & { live: string; writes: string }>(
    writing
      ? `/* lock:kind */ UPDATE kinds k SET writes = k.writes + 1 FROM sources s WHERE k.id = $1 AND s.id = k.source_id
         RETURNING ${columns}, k.writes - 1 AS writes`
      : `/* lock:kind */ SELECT ${columns}, k.writes FROM kinds k JOIN sources s ON s.id = k.source_id WHERE k.id = $1 FOR SHARE OF k`,
    [kindId, page?.scan ?? null],
    { name: writing ? 'lock_kind' : 'share_kind' },
  )
  const [row] = rows
  if (row === undefined) throw new FenceLost(`there is no kind ${kindId}: nobody can hold a lease for it`)
  return { ...row, live: Number(row.live), writes: BigInt(row.writes) }
}

interface Merged {
  readonly plan: Fold
  readonly placed: readonly Placed[]
  /** Records whose contributions are replaced. */
  readonly replaced: readonly bigint[]
  readonly wanting: Wanting | undefined
  readonly muting: Muting | undefined
}

/** Contributions of the records written or gone become what the records say now, and every entity they touch is merged anew. */
async function mergeEntities(
  tx: Queryable,
  batch: Batch,
  kind: KindState,
  written: readonly SayingRecord[],
  gone: ReadonlyMap<bigint, Removal>,
  rules: ReadonlyMap<string, Rules>,
): Promise<Merged | undefined> {
  const saying = written.filter(({ id }) => !gone.has(id))
  const { name, source, precedence } = kind
  const contributions = saying.flatMap((each) => contributionsOf(each, kind))
  const muting = await mutingOf(
    tx,
    kind.muting,
    batch,
    saying.filter(({ isNew }) => !isNew).map(({ id }) => id),
  )
  const pins = await pinning(
    tx,
    batch,
    kind.pinned,
    { precedence, source, kind: name },
    new Set(saying.map(({ id }) => id)),
    new Set(gone.keys()),
    muting === undefined ? contributions : contributions.map((each) => muting.heard(each)),
  )
  const former = [...written.filter(({ isNew }) => !isNew).map(({ id }) => id), ...gone.keys()]
  const replaced = [...new Set([...former, ...pins.records, ...(muting?.records ?? [])])]
  if (pins.said.length + replaced.length === 0) return undefined
  const known = saying.flatMap(({ write }) => ('entities' in write ? (write.entities ?? []) : []))
  const wanting = await wantingOf(tx, kind.wanting, saying, former)
  const names = [...pins.said, ...(wanting?.names ?? [])]
  const rows = await lockEntities(tx, { records: replaced, names, ids: wanting?.led ?? [] }, known)
  const ranks = new Map(saying.map((each) => [each.id, rankOf(each, kind)]))
  const stored = await loadContributions(tx, rows, replaced, pins.said, ranks)
  const again = stored.filter(({ recordId }) => muting?.records.has(recordId) === true)
  const said = [
    ...pins.said,
    ...stored.filter((each) => pins.keeps(each)),
    ...again.map((each) => muting?.again(each) ?? each),
  ]
  const { restored } = pins
  const returning = muting === undefined ? [] : await lockReturning(tx, muting.returning)
  const taken = rows.find((row) => row.anchor !== null && restored.some((each) => nameOf(each) === nameOf(row)))
  if (taken !== undefined) throw new StaleDecision(`another entity is called ${nameOf(taken)} by now`)
  const wanted = wanting === undefined ? {} : { wanted: await wantedNames(tx, wanting, rows) }
  const plan = fold({
    rows,
    stored,
    replaced: new Set(replaced),
    said,
    rules,
    restored: [...restored, ...returning],
    ...wanted,
  })
  await writePins(tx, batch, pins)
  return { plan, placed: await place(tx, plan, rules), replaced, wanting, muting }
}

function remapped(write: RecordRemap): SayingRecord {
  return { id: write.expected.id, write, isNew: false }
}

function rankOf({ write }: SayingRecord, { precedence, source, name }: KindState): RecordRank {
  const version = write.version === undefined ? null : storable(write.version)
  return { precedence, version, key: storable(write.key), source, kind: name }
}

function contributionsOf(saying: SayingRecord, kind: KindState): readonly Contribution[] {
  const { id, write } = saying
  const rank = rankOf(saying, kind)
  return write.drafts.map(({ mapping, item, draft, owning }) => ({
    recordId: id,
    owning,
    blueprint: storable(draft.blueprint),
    identifier: storable(draft.identifier),
    document: documentOf(draft),
    rank: { ...rank, mapping: storable(mapping), item: storable(item) },
  }))
}

function count(changes: readonly Change[]): Omit<Committed, 'batch'> {
  const of = (operation: Change['operation']): number => changes.filter((each) => each.operation === operation).length
  return { created: of('created'), updated: of('updated'), deleted: of('deleted'), renamed: of('renamed') }
}
