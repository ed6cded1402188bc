// A GitHub organisation of a test's own, and the folder of a Catchment that has it as its one source.
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type SpawnedSandbox, spawnSandbox } from '../../../integrations/github/sandbox/spawn.ts'
import { temporaryFolder } from './catchment.ts'

export interface Organisation {
  readonly sandbox: SpawnedSandbox
  /** For `cli` and `startCatchment`. */
  readonly options: { readonly folder: string; readonly env: Readonly<Record<string, string>> }
  /** Writes catchment.yaml; `more`: further lines of the source. */
  readonly configure: (...more: readonly string[]) => Promise<void>
  /** Writes a file beside it, and answers its path. */
  readonly write: (file: string, text: string) => Promise<string>
  readonly remove: () => Promise<void>
}

export async function organisation(repos: number): Promise<Organisation> {
  const folder = await temporaryFolder()
  const sandbox = await spawnSandbox({ data: join(folder.path, 'github'), repos })
  const write = async (file: string, text: string): Promise<string> => {
    const path = join(folder.path, file)
    await writeFile(path, text)
    return path
  }
  return {
    sandbox,
    options: { folder: folder.path, env: { GITHUB_TOKEN: sandbox.token } },
    write,
    async configure(...more) {
      const source = [
        'name: github',
        'integration: github',
        `config: { token: "\${env:GITHUB_TOKEN}", organizations: [acme], baseUrl: "${sandbox.url}" }`,
        'kinds: [repository]',
        ...more,
      ]
      await write('catchment.yaml', `sources:\n  - ${source.join('\n    ')}\n`)
    },
    async remove() {
      await sandbox.stop()
      await folder.remove()
    },
  }
}

/** A mapping of repositories to services with this expression as their title. */
export function titled(title: string): string {
  return `resources:
  - kind: repository
    entity:
      identifier: .full_name
      title: ${title}
      blueprint: '"service"'
`
}
