import type { Client } from '../client.ts'
import { type ListOptions, list, print, printJson } from '../output.ts'
import { usage } from '../run.ts'
import { table } from '../table.ts'

interface Version {
  readonly version: number
  readonly source: string
  readonly file: string
  readonly active: boolean
  readonly activations: readonly { readonly at: string; readonly who: string; readonly how: string }[]
}

export async function versions(client: Client, options: ListOptions): Promise<number> {
  const answer = await list<Version>(client, 'mappings', options, ['source'])
  if (options.json) {
    printJson(answer)
    return 0
  }
  print(
    table(
      ['version', 'source', 'active', 'since', 'by', 'how', 'file'],
      answer.items.map(({ version, source, file, active, activations: [last] }) => [
        String(version),
        source,
        active ? 'active' : '',
        last?.at ?? '',
        last?.who ?? '',
        last?.how ?? '',
        file,
      ]),
      'No source has a mapping yet.',
    ),
  )
  return 0
}

interface Diff {
  readonly mapping: string
  readonly blueprints: string
  readonly settings: string
}

export async function versionDiff(
  client: Client,
  before: string,
  after: string,
  options: { readonly json: boolean },
): Promise<number> {
  for (const version of [before, after])
    if (!/^\d{1,18}$/.test(version))
      throw usage(`A version has a number, not ${JSON.stringify(version)}.`, 'List them: catchment mapping versions')
  // The shape is the server's own, of the same version.
  const diff = (await client.get(`/api/v1/mappings/${before}/diff/${after}`)) as Diff
  if (options.json) {
    printJson(diff)
    return 0
  }
  const parts = (['mapping', 'blueprints', 'settings'] as const).filter((part) => diff[part] !== '')
  print(
    parts.length === 0
      ? `Versions ${before} and ${after} say the same.`
      : parts.map((part) => `--- ${part}, version ${before}\n+++ ${part}, version ${after}\n${diff[part]}`).join('\n'),
  )
  return 0
}
