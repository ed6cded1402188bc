import type { Fence } from './batch.ts'
import { array } from './binary.ts'
import { decodeBody } from './bodies.ts'
import type { Db, Queryable } from './db.ts'
import { checkLease } from './leases.ts'

/** A stored body, of a record that may be gone. */
export interface StoredBody {
  readonly id: bigint
  readonly version: string | undefined
  /** Canonical JSON text. */
  readonly body: string
}

/** What of a source's objects is kept, and what to do when that is less, or more, than it was. */
export interface KeepingBooks {
  /** As `keepingIs` was told last; undefined: all of it. */
  keeping(kindId: number): Promise<string | undefined>
  /** In id order after `after`; those that are not kept are left out. */
  bodies(kindId: number, after: bigint, limit: number): Promise<readonly StoredBody[]>
  /** They are mapped again. */
  rewriteBodies(
    fence: Fence,
    bodies: readonly { readonly id: bigint; readonly hash: string; readonly body: string }[],
  ): Promise<void>
  /** No body of the kind is kept; what they were mapped to stays. */
  forgetBodies(fence: Fence, kindId: number): Promise<void>
  /** What is delivered was kept whole. What is still to be applied stays. */
  reduceDeliveries(fence: Fence, sourceId: number): Promise<void>
  /** The next scan reads every object again, even where the source says that nothing was modified, and writes these records whatever it finds. */
  readAgain(fence: Fence, kindId: number, records?: readonly bigint[]): Promise<void>
  /** More is kept than was: the next scan writes every record, and the versions stored say nothing about what it finds. */
  forgetVersions(fence: Fence, kindId: number): Promise<void>
  keepingIs(fence: Fence, kindId: number, keeping: string | undefined): Promise<void>
  /** Kinds with live records that another mapping version was over and whose bodies are not kept. */
  unmapped(sourceId: number, mappingId: number): Promise<readonly { readonly id: number; readonly name: string }[]>
}

export function keepingBooks(db: Db): KeepingBooks {
  const fenced = (fence: Fence, work: (tx: Queryable) => Promise<unknown>): Promise<void> =>
    db.transaction(async (tx) => {
      await work(tx)
      await checkLease(tx, fence)
    })
  return {
    async keeping(kindId) {
      const { rows } = await db.query<{ keeping: string | null }>('SELECT keeping FROM kinds WHERE id = $1', [kindId])
      return rows[0]?.keeping ?? undefined
    },

    async bodies(kindId, after, limit) {
      const { rows } = await db.query<{ id: string; version: string | null; body: Buffer }>(
        `SELECT r.id, r.version, b.body FROM records r JOIN bodies b ON b.record_id = r.id
         WHERE r.kind_id = $1 AND r.id > $2 ORDER BY r.id LIMIT $3`,
        [kindId, after, limit],
      )
      return rows.map(({ id, version, body }) => ({
        id: BigInt(id),
        version: version ?? undefined,
        body: decodeBody(body),
      }))
    },

    rewriteBodies(fence, bodies) {
      return fenced(fence, (tx) =>
        tx.query(
          `WITH hashes AS (
             UPDATE records r SET hash = u.hash, mapping_id = 0 FROM unnest($1::int8[], $2::bytea[]) u (id, hash) WHERE r.id = u.id)
           UPDATE bodies b SET body = u.body FROM unnest($1::int8[], $3::bytea[]) u (id, body) WHERE b.record_id = u.id`,
          [
            array(
              'int8',
              bodies.map(({ id }) => id),
            ),
            array(
              'hex',
              bodies.map(({ hash }) => hash),
            ),
            array(
              'raw',
              bodies.map(({ body }) => body),
            ),
          ],
        ),
      )
    },

    forgetBodies(fence, kindId) {
      return fenced(fence, (tx) =>
        tx.query('DELETE FROM bodies b USING records r WHERE r.kind_id = $1 AND b.record_id = r.id', [kindId]),
      )
    },

    reduceDeliveries(fence, sourceId) {
      return fenced(fence, (tx) =>
        tx.query(`UPDATE inbox SET body = '', headers = '{}' WHERE source_id = $1 AND state <> 'accepted'`, [sourceId]),
      )
    },

    readAgain(fence, kindId, records = []) {
      return fenced(fence, async (tx) => {
        await tx.query(
          `UPDATE scan_pages g SET validator = NULL, seal = NULL, bytes_seal = NULL FROM scans s JOIN partitions p ON p.id = s.partition_id
           WHERE p.kind_id = $1 AND g.scan_id = s.id AND (g.validator IS NOT NULL OR g.seal IS NOT NULL)`,
          [kindId],
        )
        if (records.length === 0) return
        await tx.query('UPDATE records SET mapping_id = 0 WHERE id = ANY ($1::int8[])', [array('int8', records)])
      })
    },

    forgetVersions(fence, kindId) {
      return fenced(fence, (tx) =>
        tx.query('UPDATE records SET version = NULL, mapping_id = 0 WHERE kind_id = $1', [kindId]),
      )
    },

    keepingIs(fence, kindId, keeping) {
      return fenced(fence, (tx) => tx.query('UPDATE kinds SET keeping = $2 WHERE id = $1', [kindId, keeping ?? null]))
    },

    async unmapped(sourceId, mappingId) {
      const { rows } = await db.query<{ id: number; name: string }>(
        `SELECT k.id, k.name FROM kinds k WHERE k.source_id = $1 AND k.keeping IS NOT NULL AND EXISTS (
           SELECT FROM records r WHERE r.kind_id = k.id AND r.state = 'live' AND r.mapping_id <> $2 
             AND NOT EXISTS (SELECT FROM bodies b WHERE b.record_id = r.id))
         ORDER BY k.name`,
        [sourceId, mappingId],
      )
      return rows
    },
  }
}
