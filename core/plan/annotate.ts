import type { Db } from '../catalog/db.ts'
import { listPlans } from '../catalog/plans.ts'
import type { SourceView } from '../catalog/query/sources.ts'
import { activeVersions } from '../catalog/versions.ts'
import type { Plans } from './plans.ts'

/** Sources with the version that is active, and whether their files say something else. */
export async function withVersions(
  db: Db,
  plans: Pick<Plans, 'pending'>,
  sources: readonly SourceView[],
): Promise<readonly SourceView[]> {
  const active = new Map((await activeVersions(db)).map((version) => [version.source, version]))
  const applying = new Map((await listPlans(db, { state: 'applying', limit: 1000 })).map((plan) => [plan.source, plan]))
  return sources.map((source) => {
    const version = active.get(source.name)
    if (version === undefined) return source
    return {
      ...source,
      mapping: {
        version: version.id,
        since: version.at?.toISOString() ?? null,
        by: version.who,
        how: version.how,
        pending: source.state === 'frozen' ? [] : (plans.pending(version) ?? null),
        applying: applying.get(source.name)?.id.toString() ?? null,
      },
    }
  })
}
