import type { Batch, Fence } from './batch.ts'
import type { Db, Queryable } from './db.ts'
import { FenceLost, MappingMoved } from './refusals.ts'
import type { Store } from './store.ts'

/**
 * The last statement of every commit. The locks last until it is done, so nobody can take the lease or activate another
 * mapping between the check and the commit.
 */
export async function checkFence(tx: Queryable, { fence, mappingId, sourceId }: Batch): Promise<void> {
  const { rows } = await tx.query<{ token: string; mapping_id: number | null }>(
    fence === undefined
      ? `/* fence */ SELECT '0' AS token, s.mapping_id FROM sources s WHERE s.id = $1 FOR SHARE`
      : `/* fence */ SELECT l.token, s.mapping_id FROM leases l, sources s WHERE l.name = $2 AND s.id = $1 FOR SHARE`,
    fence === undefined ? [sourceId] : [sourceId, fence.lease],
    { name: fence === undefined ? 'unfenced' : 'fence' },
  )
  const [row] = rows
  if (row === undefined || (fence !== undefined && BigInt(row.token) !== fence.token)) {
    throw new FenceLost(`the lease ${fence?.lease ?? sourceId} is held by somebody else`)
  }
  if (row.mapping_id !== mappingId) throw new MappingMoved(`mapping version ${mappingId} is no longer the active one`)
}

/** The same for a transaction that no mapping has to do with. */
export async function checkLease(tx: Queryable, { lease, token }: Fence): Promise<void> {
  const { rowCount } = await tx.query(
    '/* fence */ SELECT FROM leases WHERE name = $1 AND token = $2 FOR SHARE',
    [lease, token],
    { name: 'lease' },
  )
  if (rowCount === 0) throw new FenceLost(`the lease ${lease} is held by somebody else`)
}

/**
 * One write and the check that the lease is still held, in one statement: `write` has parameters from $3 on and takes its
 * rows `FROM fence`, which has one row or none. Throws FenceLost.
 */
export async function writeFenced(
  db: Queryable,
  { lease, token }: Fence,
  write: string,
  values: readonly unknown[],
): Promise<void> {
  const { rowCount } = await db.query(
    `WITH fence AS (SELECT FROM leases WHERE name = $1 AND token = $2 FOR SHARE), written AS (${write}) SELECT FROM fence`,
    [lease, token, ...values],
  )
  if (rowCount === 0) throw new FenceLost(`the lease ${lease} is held by somebody else`)
}

export function leasing(db: Db): Pick<Store, 'acquireLease' | 'renewLease' | 'releaseLease'> {
  return {
    async acquireLease(name, holder, seconds) {
      const { rows } = await db.query<{ token: string }>(
        `INSERT INTO leases AS l (name, holder, token, expires_at) VALUES ($1, $2, 1, clock_timestamp() + make_interval(secs => $3))
         ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, token = l.token + 1, expires_at = excluded.expires_at
         WHERE l.holder = excluded.holder OR l.expires_at < clock_timestamp()
         RETURNING token`,
        [name, holder, seconds],
      )
      const [row] = rows
      return row && { lease: name, token: BigInt(row.token) }
    },

    async renewLease(fence, seconds) {
      const { rowCount } = await db.query(
        'UPDATE leases SET expires_at = clock_timestamp() + make_interval(secs => $3) WHERE name = $1 AND token = $2',
        [fence.lease, fence.token, seconds],
      )
      return rowCount > 0
    },

    /** The token grows, so that nothing can be written any more under the lease that was given back. */
    async releaseLease(fence) {
      await db.query(
        `UPDATE leases SET holder = '', token = token + 1, expires_at = '-infinity' WHERE name = $1 AND token = $2`,
        [fence.lease, fence.token],
      )
    },
  }
}
