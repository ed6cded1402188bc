import type { Fence } from '../catalog/batch.ts'
import type { Db } from '../catalog/db.ts'
import type { Violation } from './auditor.ts'
import type { Faults } from './faults.ts'
import { type GatedOptions, type Granted, refused } from './gated-db.ts'
import type { KindName } from './thing.ts'

/** What is done and looked at around statements: faults of the database, and whose lease a commit is made under. */
export interface Breaking {
  readonly before: NonNullable<GatedOptions['before']>
  readonly after: NonNullable<GatedOptions['after']>
  /** The connection to look through. */
  use(plain: Db): void
  /** Writes the highest numbers of live records that were seen, by kind. */
  limits(into: Map<KindName, number>): void
}

const taking = /^\s*(INSERT INTO (records|presences)|UPDATE (presences|records)|COPY (records|presences))/u

export function breaking(
  faults: Faults,
  look: () => Promise<readonly Violation[]>,
  violate: (found: readonly Violation[]) => void,
): Breaking {
  let plain: Db | undefined
  const highest = new Map<KindName, number>()
  /** Sessions whose transaction wrote records or presences. */
  const wrote = new Set<number>()
  /** Sessions whose transaction wrote under a lease. */
  const committing = new Set<number>()

  const checkLease = async ({ owner, note }: Granted): Promise<void> => {
    // The store's commit, which is asked for under this note.
    const fence = note as Fence
    const answer = await plain?.query<{ holder: string }>('SELECT holder FROM leases WHERE name = $1', [fence.lease], {
      name: 'audit_lease',
    })
    const holder = answer?.rows[0]?.holder
    if (holder === owner.name) return
    violate([{ invariant: 'I9', text: `${owner.name} commits under ${fence.lease}, which "${holder}" has` }])
  }

  return {
    use(db) {
      plain = db
    },
    limits(into) {
      for (const [kind, count] of highest) into.set(kind, count)
    },
    async before(granted, drop) {
      const { session, text, inTransaction, note } = granted
      if (text === 'rollback') return
      // What a process that was killed left of its transaction is not the next one's of this connection.
      if (text.startsWith('begin ')) {
        committing.delete(session)
        wrote.delete(session)
      }
      if (faults.happens('connection-dropped')) return await drop()
      if (text === 'commit') {
        if (committing.has(session)) await checkLease(granted)
        return
      }
      if (inTransaction && faults.happens('statement-conflict')) throw refused('40001', 'could not serialize access')
      if (note !== undefined && inTransaction) committing.add(session)
      if (taking.test(text)) wrote.add(session)
    },
    async after({ session, text }, drop) {
      if (text !== 'commit' && text !== 'rollback') return
      committing.delete(session)
      const changed = wrote.delete(session)
      if (text !== 'commit' || !changed) return
      violate(await look())
      const kinds = await plain?.query<{ name: KindName; high: string }>(
        'SELECT k.name, greatest(k.live, (SELECT max(high) FROM guard_hours g WHERE g.kind_id = k.id)) AS high FROM kinds k',
        [],
        { name: 'audit_kinds' },
      )
      for (const { name, high } of kinds?.rows ?? []) highest.set(name, Math.max(highest.get(name) ?? 0, Number(high)))
      if (!faults.happens('commit-answer-lost')) return
      await drop()
      throw new Error('the answer was lost')
    },
  }
}
