import { mkdtemp, readFile, rename, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { stringify } from 'yaml'
import type { TestSource } from '../../core/testkit/conformance.ts'

export interface FileSource extends TestSource {
  readonly folder: string
  /** Writes a file as if that had been a while ago. */
  write(name: string, text: string): Promise<void>
}

const services = [{ id: 'checkout', tier: 1, owner: { team: 'shop' } }, { name: 'ledger' }, { id: 7, name: 'search' }]
const teams = 'id,name,note\nshop,"Shop, and more","two\nlines"\nops,Operations,\n'

/** A folder with a file of each format; what fails is the first, in the way that files fail. */
export async function openFolder(): Promise<FileSource> {
  const folder = await mkdtemp(join(tmpdir(), 'catchment-file-'))
  const write = async (name: string, text: string): Promise<void> => {
    await writeFile(join(folder, name), text)
    const before = new Date(Date.now() - 60_000)
    await utimes(join(folder, name), before, before)
  }
  const many = Array.from({ length: 1200 }, (_, index) => ({ id: `row-${index}`, index }))
  await write('a-services.json', JSON.stringify(services))
  await write('many.ndjson', many.map((row) => JSON.stringify(row)).join('\n'))
  await write('systems.yaml', `${stringify([{ id: 'pay' }])}---\n${stringify({ id: 'sell', parts: ['cart'] })}`)
  await write('teams.csv', teams)
  const first = await readFile(join(folder, 'a-services.json'), 'utf8')
  let away: string | undefined
  return {
    folder,
    write,
    async fail(how) {
      await write('a-services.json', how === 'cut' ? first.slice(0, -9) : '<!DOCTYPE html>\n<title>Login</title>\n')
    },
    async lose(partition) {
      away = partition
      await rename(join(folder, partition), join(folder, 'away'))
    },
    async heal() {
      if (away !== undefined) await rename(join(folder, 'away'), join(folder, away))
      away = undefined
      await write('a-services.json', first)
    },
    calls: () => Promise.resolve(0),
    unknownKey: () => 'a-services.json#nobody',
    close: () => rm(folder, { recursive: true, force: true }),
  }
}
