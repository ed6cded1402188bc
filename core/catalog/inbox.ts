import type { JsonObject } from '../model/json.ts'
import type { Db } from './db.ts'
import { storable, storableJson } from './document.ts'
import { writeFenced } from './leases.ts'
import type { Store } from './store.ts'

type Methods = Pick<Store, 'accept' | 'backlog' | 'accepted' | 'forgetDeliveries' | 'dueDoubts' | 'postponeDoubt'>

export function receiving(db: Db): Methods {
  return {
    async accept(sourceId, { id, event, headers, body }) {
      const { rowCount } = await db.query(
        `WITH new AS (
           INSERT INTO inbox AS i (source_id, delivery, event, headers, body, state) VALUES ($1, $2, $3, $4, $5, 'accepted')
           ON CONFLICT (source_id, delivery) DO UPDATE SET event = excluded.event, headers = excluded.headers, body = excluded.body,
             state = 'accepted', error = NULL, received_at = now(), settled_at = NULL WHERE i.state = 'dead'
           RETURNING id)
         SELECT pg_notify('catchment_inbox', '') FROM new`,
        [sourceId, storable(id), storable(event), storableJson(headers), body],
        { name: 'accept' },
      )
      return rowCount > 0 ? 'accepted' : 'duplicate'
    },

    async backlog(sourceId) {
      const { rows } = await db.query<{ count: string }>(
        `SELECT count(*) FROM inbox WHERE source_id = $1 AND state = 'accepted'`,
        [sourceId],
        { name: 'backlog' },
      )
      return Number(rows[0]?.count ?? 0)
    },

    async accepted(sourceId, limit) {
      const { rows } = await db.query<{
        id: string
        delivery: string
        event: string
        headers: Readonly<Record<string, string>>
        body: Buffer
        attempts: number
      }>(
        `SELECT id, delivery, event, headers, body, attempts FROM inbox
         WHERE source_id = $1 AND state = 'accepted' ORDER BY id LIMIT $2`,
        [sourceId, limit],
        { name: 'accepted' },
      )
      return rows.map((row) => ({ ...row, id: BigInt(row.id) }))
    },

    /** The oldest stand first in the table, so the few that are due are found without an index of their own. */
    async forgetDeliveries(fence, sourceId, before, limit) {
      const { rowCount } = await db.query(
        `WITH fence AS (SELECT FROM leases WHERE name = $1 AND token = $2 FOR SHARE)
         DELETE FROM inbox WHERE EXISTS (SELECT FROM fence) AND id = ANY (ARRAY(
           SELECT id FROM inbox WHERE source_id = $3 AND state = 'applied' AND settled_at < $4 ORDER BY id LIMIT $5))`,
        [fence.lease, fence.token, sourceId, new Date(before), limit],
      )
      return rowCount
    },

    async dueDoubts(sourceId, now, limit) {
      const { rows } = await db.query<{
        kind_id: number
        kind: string
        key: string
        partition_id: number
        partition: string
        locator: JsonObject
        reason: string
        serial: string
        signed: boolean
        attempts: number
      }>(
        `SELECT d.kind_id, k.name AS kind, d.key, d.partition_id, p.name AS partition, d.locator, d.reason, d.serial, d.signed, d.attempts
         FROM doubts d JOIN kinds k ON k.id = d.kind_id JOIN partitions p ON p.id = d.partition_id
         WHERE k.source_id = $1 AND (d.not_before IS NULL OR d.not_before <= $2)
         ORDER BY d.serial, d.kind_id, d.key, d.partition_id LIMIT $3`,
        [sourceId, new Date(now), limit],
        { name: 'due_doubts' },
      )
      return rows.map(({ kind_id, partition_id, serial, ...row }) => ({
        ...row,
        kindId: kind_id,
        partitionId: partition_id,
        serial: BigInt(serial),
      }))
    },

    /** Not when a later signal raised it meanwhile: that one is due at once. */
    postponeDoubt: (fence, { kindId, key, partitionId, serial }, until, reason) =>
      writeFenced(
        db,
        fence,
        `UPDATE doubts SET attempts = attempts + 1, not_before = $7, reason = $8
         FROM fence WHERE kind_id = $3 AND key = $4 AND partition_id = $5 AND serial = $6`,
        [kindId, storable(key), partitionId, serial, new Date(until), storable(reason)],
      ),
  }
}
