import type { Db } from '../catalog/db.ts'
import { getVersion } from '../catalog/versions.ts'
import type { Mappings } from '../model/mapping.ts'
import type { Engine, MappingContent } from '../sync/engine.ts'

/** By the name of a source; undefined: it is not configured. */
export type ActiveMappings = (source: string) => Mappings | undefined

/**
 * What is over the records now, which is not what the files said at start once a plan was applied. A version is compiled
 * when it is first asked for.
 */
export function activeMappings(db: Db, engine: Pick<Engine, 'sources'>): () => Promise<ActiveMappings> {
  const compiled = new Map<string, { readonly version: number; readonly mappings: Mappings | undefined }>()
  return async () => {
    const { rows } = await db.query<{ source: string; version: number; hash: string }>(
      'SELECT s.name AS source, m.id AS version, m.hash FROM sources s JOIN mappings m ON m.id = s.mapping_id',
    )
    const active = new Map(rows.map((row) => [row.source, row]))
    for (const { name, mappings, versions } of engine.sources) {
      const row = active.get(name)
      if (row === undefined || row.hash === mappings.hash || compiled.get(name)?.version === row.version) continue
      // Written by `activateMapping` from a MappingContent.
      const content = (await getVersion(db, String(row.version))).content as unknown as MappingContent
      const made = versions?.compile(content)
      compiled.set(name, { version: row.version, mappings: made?.usable === true ? made.mappings : undefined })
    }
    return (source) => {
      const runtime = engine.sources.find(({ name }) => name === source)
      const row = active.get(source)
      if (runtime === undefined || row === undefined || row.hash === runtime.mappings.hash) return runtime?.mappings
      return compiled.get(source)?.mappings ?? runtime.mappings
    }
  }
}
