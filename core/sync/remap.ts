import { StaleDecision, Unstorable } from '../catalog/refusals.ts'
import type { Store } from '../catalog/store.ts'
import type { Json } from '../sdk/index.ts'
import { commitPlanOnce } from './commit.ts'
import { expectedOf, mapped } from './observe.ts'
import { newPlan, type Plan } from './plan.ts'
import type { KindSession, Session } from './session.ts'

type Outdated = Awaited<ReturnType<Store['outdated']>>[number]

const AT_A_TIME = 200

/**
 * Maps stored records again that were made with another mapping version, under the guard; no source is called. One step of
 * at most a few hundred records after `after`. Answers where to go on, undefined when nothing is left.
 */
export async function remap(session: Session, after = 0n): Promise<bigint | undefined> {
  const { store } = session.ports
  return session.write(async () => {
    const rows = await store.outdated(session.source.id, session.mappingId, after, AT_A_TIME)
    const last = rows.at(-1)
    if (last === undefined) return undefined
    for (const kind of session.kinds.values()) {
      const mine = rows.filter(({ kindId }) => kindId === kind.id)
      if (mine.length > 0) await remapKind(session, kind, mine)
    }
    return last.record.id
  })
}

/**
 * In the source's turn, so that only somebody else's write can come between: then the next round has them again. What
 * cannot be stored stays as it was; its neighbours go on.
 */
async function remapKind(session: Session, kind: KindSession, rows: readonly Outdated[]): Promise<void> {
  try {
    await commitPlanOnce(session, kind, planRemap(session, kind, rows))
  } catch (error) {
    if (error instanceof StaleDecision) return
    if (!(error instanceof Unstorable)) throw error
    if (rows.length > 1) for (const row of rows) await remapKind(session, kind, [row])
    else session.ports.log('warn', 'record not mapped again', { key: rows[0]?.record.key, message: error.message })
  }
}

function planRemap(session: Session, kind: KindSession, rows: readonly Outdated[]): Plan {
  const plan = newPlan({ type: 'remap', mapping: session.mappingId })
  for (const { record, body } of rows) {
    const { key, version, hash, locator, span } = record
    // It proves nothing about the source: watermark and presences stay as they are.
    const write = {
      key,
      version,
      hash,
      body,
      locator,
      span,
      expected: expectedOf(record),
      presences: [],
      quarantined: [],
    }
    // It was stored as the text of a JSON value.
    plan.writes.push(mapped(session, kind, plan, write, JSON.parse(body) as Json, record))
  }
  return plan
}
