import type { Cause } from '../catalog/batch.ts'
import { Unstorable } from '../catalog/refusals.ts'
import type { InboxRow } from '../catalog/stored.ts'
import type { Signal } from '../sdk/index.ts'
import { coalesce, type Heard, type Subject } from './coalesce.ts'
import { commitPlan } from './commit.ts'
import { describeError } from './errors.ts'
import { checkSignal, keyProblem } from './limits.ts'
import { isEmpty, newPlan, type Plan } from './plan.ts'
import { emit, type KindSession, now, type Session } from './session.ts'
import { transition } from './states.ts'
import { PoisonSignal, planSubject } from './subject.ts'

type Named = Pick<Subject, 'kind' | 'key' | 'partition'> & { readonly locator?: Subject['locator'] }

/** What one transaction applies: everything that the winning deliveries of a key say, or the questions of a kind. */
interface Group {
  readonly kind: KindSession
  readonly subjects: readonly Subject[]
  readonly row: InboxRow | undefined
}

/**
 * Applies deliveries that are accepted and not yet applied. Answers how many were taken up. Each is settled in the
 * transaction that applies the last thing it says, so a crash repeats it, which changes nothing.
 */
export async function settleInbox(session: Session): Promise<number> {
  const { store } = session.ports
  const rows = await store.accepted(session.source.id, session.settings.inboxBatch)
  const open = new Map(rows.map((row) => [row.id, row]))
  const heard: Heard[] = []
  for (const [index, row] of rows.entries()) {
    let about: Signal | undefined
    try {
      const signals = session.runtime.connection.webhook?.signals({ headers: row.headers, body: row.body }) ?? []
      for (const signal of signals) {
        about = signal
        checkSignal(signal)
      }
      heard.push({ delivery: index, signals })
    } catch (error) {
      await setAside(session, open, row, error, about)
    }
  }
  const { subjects, resyncs } = coalesce(heard)
  const groups = groupsOf(session, rows, subjects)
  for (const [index, group] of groups.entries()) {
    const later = groups.slice(index + 1)
    const settled = namedBy(group.subjects, rows).filter(
      (row) => open.has(row.id) && !later.some((each) => namedBy(each.subjects, rows).includes(row)),
    )
    await apply(session, group, settled, open)
  }
  await settleRest(session, [...open.values()], resyncs)
  return rows.length
}

/** Signals of kinds that are not scanned, and of partitions that no scan has found, are about nothing we keep. */
function groupsOf(session: Session, rows: readonly InboxRow[], subjects: readonly Subject[]): readonly Group[] {
  const groups = new Map<string, { kind: KindSession; subjects: Subject[]; row: InboxRow | undefined }>()
  for (const subject of subjects) {
    const kind = session.kinds.get(subject.kind)
    if (kind?.partitions.has(subject.partition) !== true) continue
    const from = subject.word.type === 'ask' ? undefined : subject.word.from
    const id = `${kind.id} ${from ?? ''}`
    const group = groups.get(id) ?? { kind, subjects: [], row: from === undefined ? undefined : rows[from] }
    groups.set(id, group)
    group.subjects.push(subject)
  }
  return [...groups.values()]
}

function namedBy(subjects: readonly Subject[], rows: readonly InboxRow[]): readonly InboxRow[] {
  const numbers = new Set(subjects.flatMap(({ named }) => named))
  return rows.filter((_, index) => numbers.has(index))
}

async function apply(
  session: Session,
  { kind, subjects, row }: Group,
  settled: readonly InboxRow[],
  open: Map<bigint, InboxRow>,
): Promise<void> {
  const poison = new Set<Subject>()
  const prepare = async (): Promise<Plan> => {
    const plan = newPlan(causeOf(row))
    // Taken before the look at what is stored: whoever begins a scan later, begins it with a greater tick.
    const tick = await session.ports.store.tick()
    for (const subject of subjects) {
      if (poison.has(subject)) continue
      try {
        await planSubject(session, kind, plan, subject, tick)
      } catch (error) {
        if (!(error instanceof PoisonSignal)) throw error
        poison.add(subject)
        if (row !== undefined) await setAside(session, open, row, error.cause, subject)
      }
    }
    if (!isEmpty(plan)) {
      for (const each of settled) {
        if (!open.has(each.id)) continue
        plan.moves.add('delivery', 'accepted', 'apply')
        plan.deliveries.push({ id: each.id })
      }
    }
    return plan
  }
  let done: Plan['deliveries'] = []
  try {
    await commitPlan(session, kind, async () => {
      const plan = await prepare()
      done = plan.deliveries
      return plan
    })
  } catch (error) {
    if (!(error instanceof Unstorable)) throw error
    // Nothing of it was written; what only repeats it is settled with the rest.
    done = []
    // The one that is to blame, if there is no other.
    const about = subjects.length === 1 ? subjects[0] : undefined
    for (const each of row === undefined ? settled : [row]) await setAside(session, open, each, error, about)
  }
  for (const { id } of done) applied(session, open, id)
}

/** Deliveries that changed nothing, or say nothing that we keep. */
async function settleRest(session: Session, rest: readonly InboxRow[], resyncs: readonly string[]): Promise<void> {
  const [kind] = session.kinds.values()
  if (kind === undefined || rest.length + resyncs.length === 0) return
  await commitPlan(session, kind, () => {
    const plan = newPlan(causeOf(rest[0]))
    for (const { id } of rest) {
      plan.moves.add('delivery', 'accepted', 'apply')
      plan.deliveries.push({ id })
    }
    for (const name of resyncs) if (session.kinds.has(name)) plan.requestedScans.add(name)
    return Promise.resolve(plan)
  })
  const open = new Map(rest.map((row) => [row.id, row]))
  for (const { id } of rest) applied(session, open, id)
}

function applied(session: Session, open: Map<bigint, InboxRow>, id: bigint): void {
  const row = open.get(id)
  if (row === undefined) return
  open.delete(id)
  emit(session, { type: 'delivery', source: session.runtime.name, event: row.event, outcome: 'applied' })
}

/** `about`: the object of it that is to blame. */
async function setAside(
  session: Session,
  open: Map<bigint, InboxRow>,
  row: InboxRow,
  error: unknown,
  about?: Named | Signal,
): Promise<void> {
  if (!open.delete(row.id)) return
  const described = describeError(error)
  const item = about === undefined || !('key' in about) ? undefined : objectOf(session, about, described.message)
  await session.ports.store.setAside(session.fence, row.id, described, item)
  transition('delivery', 'accepted', 'set aside', session.settings.onTransition)
  emit(session, { type: 'delivery', source: session.runtime.name, event: row.event, outcome: 'dead' })
}

/** Undefined when no partition that we list holds it. */
function objectOf(session: Session, { kind: name, key, partition, locator = {} }: Named, message: string) {
  const place = session.kinds.get(name)?.partitions.get(partition)
  if (place === undefined || key === '') return undefined
  const field = keyProblem(key) === undefined ? 'body' : 'key'
  return { partitionId: place.row.id, item: { key, place: '', locator, field, message } as const, now: now(session) }
}

function causeOf(row: InboxRow | undefined): Cause {
  return row === undefined
    ? { type: 'get', reason: 'a delivery says that it changed' }
    : { type: 'delivery', delivery: row.delivery, event: row.event }
}
