// Follows the Dockerfile where no Docker runs: its copies, its install, its CMD and HEALTHCHECK, as an ordinary user.
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process'
import { chmodSync, chownSync, cpSync, mkdirSync, readFileSync, statSync } from 'node:fs'
import { createServer } from 'node:net'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { eventually, temporaryFolder } from './testing/catchment.ts'
import { copyOf, environmentOf, exec, type Instruction, parseDockerfile } from './testing/dockerfile.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
const all = parseDockerfile(readFileSync(join(root, 'Dockerfile'), 'utf8'))
const ordinary = { uid: 1000, gid: 1000 }
const user: Partial<typeof ordinary> = process.getuid?.() === 0 ? ordinary : {}

let folder: Awaited<ReturnType<typeof temporaryFolder>>
let app: string
let head: string
let data: string
let running: ChildProcess | undefined

/** The instructions of each stage, by its name; the last has none. */
function stages(): Map<string, readonly Instruction[]> {
  const found = new Map<string, Instruction[]>()
  for (const instruction of all)
    if (instruction.name === 'FROM') found.set(/ AS (\w+)$/.exec(instruction.text)?.[1] ?? '', [])
    else [...found.values()].at(-1)?.push(instruction)
  return found
}

function follow(stage: string, instructions: readonly Instruction[]): string {
  const place = join(folder.path, stage || 'image')
  mkdirSync(place)
  for (const instruction of instructions) {
    if (instruction.name === 'COPY') {
      const { from, sources, to } = copyOf(instruction)
      for (const source of sources)
        if (from === undefined) copyCommitted(source, place, to)
        else
          cpSync(join(folder.path, from, source.replace('/app/', '')), join(place, to), {
            recursive: true,
            verbatimSymlinks: true,
          })
    } else if (instruction.name === 'RUN' && instruction.text.startsWith('npm '))
      execFileSync('sh', ['-c', instruction.text], { cwd: place, stdio: 'pipe', timeout: 240_000 })
    else if (instruction.name === 'RUN') expect(instruction.text).toBe('install -d -o node -g node /data')
  }
  return place
}

/** From the last commit, so that nothing counts that only lies about here. `.dockerignore` leaves the tests out. */
function copyCommitted(source: string, place: string, to: string): void {
  const isFolder = statSync(join(head, source)).isDirectory()
  const target = to.endsWith('/') && !isFolder ? join(place, to, basename(source)) : join(place, to)
  mkdirSync(dirname(target), { recursive: true })
  cpSync(join(head, source), target, { recursive: true, filter: (name) => !name.endsWith('.test.ts') })
}

beforeAll(async () => {
  folder = await temporaryFolder()
  head = join(folder.path, 'head')
  mkdirSync(head)
  execFileSync('sh', ['-c', 'git archive HEAD | tar -x -C "$1"', 'sh', head], { cwd: root })
  for (const [name, instructions] of stages()) app = follow(name, instructions)
  data = join(folder.path, 'volume')
  mkdirSync(data)
  chmodSync(data, 0o755)
  if (process.getuid?.() === 0) chownSync(data, ordinary.uid, ordinary.gid)
}, 300_000)

afterAll(async () => {
  if (running?.exitCode === null) running.kill('SIGKILL')
  await folder?.remove()
}, 60_000)

it('starts what the image holds, is healthy by its own check, serves a scanned catalog, and stops on SIGTERM', async () => {
  const final = stages().get('') ?? []
  const port = await freePort()
  const env = {
    ...environmentOf(final),
    CATCHMENT_DATA: data,
    CATCHMENT_PORT: String(port),
    HOME: data,
    PATH: `${dirname(process.execPath)}:${process.env['PATH'] ?? ''}`,
  }
  const [program = '', ...args] = exec(final.find(({ name }) => name === 'CMD')?.text ?? '')
  const [probe = '', ...probing] = exec(final.find(({ name }) => name === 'HEALTHCHECK')?.text ?? '')
  const options = { cwd: app, env, ...user }
  const healthy = (): boolean => spawnSync(probe, probing, options).status === 0

  expect(healthy()).toBe(false)
  const child = spawn(program, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] })
  running = child
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => {
      output += chunk.toString()
    })
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve))
  const living = async (what: string, probeIt: () => Promise<boolean> | boolean): Promise<void> => {
    await eventually(
      what,
      async () => {
        if (child.exitCode !== null) throw new Error(`it ended before ${what}:\n${output}`)
        return (await probeIt()) ? true : undefined
      },
      120_000,
    )
  }
  await living('the health check passes', healthy)
  await living('the catalog is ready', async () => (await fetch(`http://127.0.0.1:${port}/readyz`)).status === 200)
  // As `docker compose exec catchment node api/cli/bin.js status` does it.
  const status = spawnSync(program, ['api/cli/bin.js', 'status'], { ...options, encoding: 'utf8' })
  expect(status.stdout).toMatch(/github +repository +\d+ +fresh/)
  child.kill('SIGTERM')
  expect(await ended, output).toBe(0)
  expect(healthy()).toBe(false)
}, 300_000)

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  return typeof address === 'object' && address !== null ? address.port : 0
}
