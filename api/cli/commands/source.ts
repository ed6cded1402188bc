import type { Removed } from '../../../core/catalog/remove-source.ts'
import type { Client } from '../client.ts'
import { print, printJson } from '../output.ts'

export async function removeSource(client: Client, name: string, options: { readonly json: boolean }): Promise<number> {
  // The shape is the server's own, of the same version.
  const removed = (await client.delete(`/api/v1/sources/${encodeURIComponent(name)}`)) as Removed
  if (options.json) printJson(removed)
  else
    print(
      `${removed.source} is removed: ${removed.records} records, ${removed.deleted} entities that only it knew; ${removed.updated} that others know, too, are without its words.`,
    )
  return 0
}
