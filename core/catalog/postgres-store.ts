import { committing } from './commit.ts'
import { comparing } from './compare.ts'
import type { Db } from './db.ts'
import { depending } from './dependents.ts'
import { sequencing } from './feed.ts'
import { guarding } from './guard.ts'
import { receiving } from './inbox.ts'
import { keepingBooks } from './keeping.ts'
import { leasing } from './leases.ts'
import { sweeping } from './missing.ts'
import { outdating } from './outdated.ts'
import { partitioning } from './partitions.ts'
import { planBooks } from './plan-books.ts'
import type { RulesCache } from './rules.ts'
import { scanning } from './scans.ts'
import { scheduling } from './schedule.ts'
import { sealing } from './sealed.ts'
import { settingAside } from './set-aside.ts'
import { settleRelations } from './settling.ts'
import { remembering } from './sources.ts'
import type { Store } from './store.ts'

/** The catalog in PostgreSQL. Each file of this folder holds one group of statements; `commit.ts` is the heart. */
export function createStore(db: Db): Store {
  const rules: RulesCache = new Map()
  return {
    async tick() {
      const { rows } = await db.query<{ tick: string }>(`SELECT nextval('tick') AS tick`, [], { name: 'tick' })
      return BigInt(rows[0]?.tick ?? 0)
    },
    ...leasing(db),
    ...remembering(db, rules),
    ...partitioning(db),
    ...comparing(db),
    ...committing(db, rules),
    ...outdating(db, rules),
    ...scanning(db),
    ...sealing(db),
    ...sweeping(db),
    ...guarding(db),
    ...receiving(db),
    ...settingAside(db),
    ...scheduling(db),
    ...sequencing(db),
    ...planBooks(db),
    ...depending(db),
    settleRelations: () => settleRelations(db),
    ...keepingBooks(db),
  }
}
