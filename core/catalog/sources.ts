import { isObject, type Json, type JsonObject } from '../model/json.ts'
import type { Hooks } from '../sdk/index.ts'
import type { Db, Queryable } from './db.ts'
import { storableJson } from './document.ts'
import { checkLease, writeFenced } from './leases.ts'
import type { Activation } from './plan-books.ts'
import { mergeAgain } from './precedence.ts'
import { type RulesCache, rulesFor } from './rules.ts'
import { MANUAL, type Store } from './store.ts'
import type { SourceRow } from './stored.ts'

type Methods = Pick<
  Store,
  | 'saveSource'
  | 'freezeSourcesExcept'
  | 'hooks'
  | 'saveHooks'
  | 'saveCheck'
  | 'activeMapping'
  | 'activateMapping'
  | 'kind'
>

/** What is configured, as the database remembers it. */
export function remembering(db: Db, cache: RulesCache): Methods {
  return {
    async saveSource({ name, integration, precedence }) {
      const { rows } = await db.query<
        Omit<SourceRow, 'fingerprint' | 'mappingId'> & {
          fingerprint: string | null
          mapping_id: number | null
          moved: boolean
        }
      >(
        `INSERT INTO sources AS s (name, integration, state, precedence, merged_by) VALUES ($1, $2, 'active', $3, $3)
         ON CONFLICT (name) DO UPDATE SET integration = excluded.integration, state = 'active', precedence = excluded.precedence,
           updated_at = now()
         RETURNING id, name, integration, state, fingerprint, mapping_id, precedence <> merged_by AS moved`,
        [name, integration, precedence],
      )
      const [row] = rows
      if (row === undefined) throw new Error(`source ${name} was not stored`)
      const { fingerprint, mapping_id, moved, ...rest } = row
      if (moved) {
        await mergeAgain(db, row.id, await rulesFor(db, mapping_id ?? 0, cache))
        // Last, so that a crash before it merges once more.
        await db.query('UPDATE sources SET merged_by = precedence WHERE id = $1', [row.id])
      }
      return { ...rest, fingerprint: fingerprint ?? undefined, mappingId: mapping_id ?? undefined }
    },

    async freezeSourcesExcept(names) {
      const { rows } = await db.query<{ name: string }>(
        `WITH frozen AS (
           UPDATE sources SET state = 'frozen', updated_at = now() WHERE state <> 'frozen' AND name <> ALL ($1::text[]))
         SELECT name FROM sources WHERE name <> ALL ($1::text[]) ORDER BY name`,
        [[...names, MANUAL]],
      )
      return rows.map(({ name }) => name)
    },

    async hooks(sourceId) {
      const { rows } = await db.query<{ hooks: Hooks }>('SELECT hooks FROM sources WHERE id = $1', [sourceId])
      return rows[0]?.hooks ?? {}
    },

    saveHooks: (fence, sourceId, hooks, state) =>
      writeFenced(db, fence, 'UPDATE sources SET hooks = $4, hook_state = hook_state || $5 FROM fence WHERE id = $3', [
        sourceId,
        storableJson(hooks),
        storableJson({ ...state }),
      ]),

    async saveCheck(fence, sourceId, result) {
      if ('problem' in result) {
        const set = 'UPDATE sources SET problem = $4, updated_at = now() FROM fence WHERE id = $3'
        await writeFenced(db, fence, set, [sourceId, storableJson(result.problem)])
        return
      }
      await writeFenced(
        db,
        fence,
        'UPDATE sources SET identity = $4, fingerprint = $5, problem = NULL, updated_at = now() FROM fence WHERE id = $3',
        [sourceId, result.identity, result.fingerprint],
      )
    },

    async activeMapping(sourceId) {
      const { rows } = await db.query<{ id: number; hash: string; content: Json }>(
        'SELECT m.id, m.hash, m.content FROM sources s JOIN mappings m ON m.id = s.mapping_id WHERE s.id = $1',
        [sourceId],
      )
      return rows[0]
    },

    async activateMapping(sourceId, { hash, content, blueprints }, activation = atStart) {
      const documents = blueprints.filter(isNamed)
      const id = await db.transaction(async (tx) => {
        const { rows } = await tx.query<{ id: number }>(
          `INSERT INTO mappings (source_id, hash, content) VALUES ($1, $2, $3)
           ON CONFLICT (source_id, hash) DO UPDATE SET content = excluded.content, activated_at = now() RETURNING id`,
          [sourceId, hash, storableJson(content)],
        )
        const mapping = rows[0]?.id
        if (mapping === undefined) throw new Error('the mapping was not stored')
        await tx.query('UPDATE sources SET mapping_id = $2, updated_at = now() WHERE id = $1', [sourceId, mapping])
        await noteActivation(tx, sourceId, mapping, activation)
        for (const document of documents) {
          await tx.query(
            `INSERT INTO blueprint_documents (identifier, source_id, document) VALUES ($1, $2, $3)
             ON CONFLICT (identifier, source_id) DO UPDATE SET document = excluded.document`,
            [document.identifier, sourceId, storableJson(document)],
          )
        }
        const kept = documents.map(({ identifier }) => identifier)
        await tx.query('DELETE FROM blueprint_documents WHERE source_id = $1 AND identifier <> ALL ($2::text[])', [
          sourceId,
          kept,
        ])
        if (activation.fence !== undefined) await checkLease(tx, activation.fence)
        return mapping
      })
      cache.clear()
      return id
    },

    async kind(sourceId, name) {
      const find = () =>
        db.query<{ id: number; live: string }>('SELECT id, live FROM kinds WHERE source_id = $1 AND name = $2', [
          sourceId,
          name,
        ])
      let { rows } = await find()
      if (rows.length === 0) {
        await db.query('INSERT INTO kinds (source_id, name) VALUES ($1, $2) ON CONFLICT DO NOTHING', [sourceId, name])
        ;({ rows } = await find())
      }
      const [row] = rows
      if (row === undefined) throw new Error(`kind ${name} was not stored`)
      return { id: row.id, live: Number(row.live) }
    },
  }
}

const atStart: Activation = { who: 'start', how: 'start' }

/** One that another version was activated over is not carried out any further. */
async function noteActivation(tx: Queryable, sourceId: number, mapping: number, by: Activation): Promise<void> {
  await tx.query('INSERT INTO activations (source_id, mapping_id, who, how, plan_id) VALUES ($1, $2, $3, $4, $5)', [
    sourceId,
    mapping,
    by.who,
    by.how,
    by.plan ?? null,
  ])
  await tx.query(
    `UPDATE plans SET state = CASE WHEN id = $2 THEN 'applying' ELSE 'superseded' END,
       mapping_id = CASE WHEN id = $2 THEN $3 ELSE mapping_id END, applied_at = coalesce(applied_at, now()),
       applied_by = coalesce(applied_by, $4), first_batch = coalesce(first_batch, (SELECT coalesce(max(id), 0) FROM change_batches)),
       ended_at = CASE WHEN id = $2 THEN NULL ELSE now() END
     WHERE source_id = $1 AND (state = 'applying' OR id = $2)`,
    [sourceId, by.plan ?? 0n, mapping, by.who],
  )
}

function isNamed(document: Json): document is JsonObject & { readonly identifier: string } {
  return isObject(document) && typeof document['identifier'] === 'string'
}
