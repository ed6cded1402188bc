// A newcomer's first minutes, from a clean clone of what is committed: as root, as an ordinary user, and where only root may go.
import { execFile, spawn } from 'node:child_process'
import { chmod, chown, lstat, mkdir, readdir, readFile, realpath, rm } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { eventually, temporaryFolder } from './testing/catchment.ts'

const exec = promisify(execFile)
const repository = fileURLToPath(new URL('../../', import.meta.url))
/** An account that every Debian has. */
const daemon = { uid: 1, gid: 1 }
/** Seconds from the start to a scanned catalog on a quiet machine are below 15; this one may be busy. */
const longest = 60

let folder: Awaited<ReturnType<typeof temporaryFolder>>
/** With and without install scripts. */
let clones: { readonly whole: string; readonly scriptless: string }

async function npmCi(clone: string, ...flags: readonly string[]): Promise<number> {
  const began = performance.now()
  await exec('npm', ['ci', ...flags], { cwd: clone, env: cleanEnvironment(homedir()) })
  return (performance.now() - began) / 1000
}

/** Registry settings are the machine's; nothing else of whoever runs the tests. */
function cleanEnvironment(home: string): Record<string, string> {
  const kept = Object.entries(process.env).filter(([name]) =>
    /^(npm_config_(registry|cafile|.*proxy)|https?_proxy|no_proxy|NODE_EXTRA_CA_CERTS)$/i.test(name),
  )
  // The pinned Node of this checkout must not help out.
  const path = (process.env['PATH'] ?? '').split(':').filter((entry) => !entry.includes('node_modules'))
  return {
    ...Object.fromEntries(kept.map(([name, value]) => [name, value ?? ''])),
    PATH: path.join(':'),
    HOME: home,
    CATCHMENT_PORT: '0',
  }
}

beforeAll(async () => {
  expect(process.getuid?.(), 'these tests change users').toBe(0)
  folder = await temporaryFolder()
  const whole = join(folder.path, 'whole')
  const scriptless = join(folder.path, 'scriptless')
  await exec('git', ['clone', '-q', repository, whole])
  await exec('git', ['clone', '-q', repository, scriptless])
  const seconds = [await npmCi(whole), await npmCi(scriptless, '--ignore-scripts')]
  process.stderr.write(`npm ci: ${seconds[0]?.toFixed(1)} s, with --ignore-scripts ${seconds[1]?.toFixed(1)} s\n`)
  clones = { whole, scriptless }
}, 300_000)
afterAll(() => folder?.remove(), 60_000)

interface Outcome {
  readonly stderr: string
  readonly seconds: number
}

/** `npm start` as a person types it; looks at the catalog, then stops it. Answers what it said. */
async function firstStart(
  checkout: string,
  as?: { readonly home: string; readonly uid: number; readonly gid: number },
): Promise<Outcome> {
  const env = cleanEnvironment(as?.home ?? homedir())
  const drop = as === undefined ? [] : ['setpriv', `--reuid=${as.uid}`, `--regid=${as.gid}`, '--clear-groups', '--']
  const [command, ...args] = [...drop, 'npm', 'start', '--', '--life', '0']
  if (command === undefined) throw new Error('nothing to run')
  const before = await processesOf(checkout)
  expect(before).toEqual([])
  const began = performance.now()
  const child = spawn(command, args, { cwd: checkout, env, stdio: ['ignore', 'ignore', 'pipe'] })
  let stderr = ''
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString()
  })
  let hasEnded = false
  child.once('close', () => {
    hasEnded = true
  })
  try {
    await eventually(
      'the catalog is ready',
      async () => {
        if (hasEnded) throw new Error(`it ended: ${stderr}`)
        return stderr.includes('explain service') ? true : undefined
      },
      longest * 1000,
    )
    const seconds = (performance.now() - began) / 1000
    const catchment = async (...words: readonly string[]) => {
      const [program = 'npm', ...rest] = [...drop, 'npm', 'run', '-s', 'catchment', '--', ...words]
      return (await exec(program, rest, { cwd: checkout, env })).stdout
    }
    expect(await catchment('status')).toMatch(/github +repository +\d+ +fresh/)
    const found = JSON.parse(await catchment('search', '--blueprint', 'service', '--limit', '1000', '--json')) as {
      items: unknown[]
    }
    expect(found.items.length).toBeGreaterThanOrEqual(55)
    return { stderr, seconds }
  } finally {
    child.kill('SIGTERM')
    await eventually('it ends', async () => (hasEnded ? true : undefined), 60_000)
    await eventually('no process is left', async () => ((await processesOf(checkout)).length === 0 ? true : undefined))
  }
}

/** Command lines of processes that work in the checkout or on its data. */
async function processesOf(checkout: string): Promise<readonly string[]> {
  const data = await realpath(join(checkout, '.catchment/postgres')).catch(() => checkout)
  const found: string[] = []
  for (const pid of await readdir('/proc')) {
    if (!/^\d+$/.test(pid)) continue
    const command = (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).replaceAll('\0', ' ')
    const works = await realpath(`/proc/${pid}/cwd`).catch(() => '')
    if ([command, works].some((text) => text.includes(checkout) || text.includes(data))) found.push(command)
  }
  return found
}

/** What is new in the checkout is what the documents name. */
async function expectOnlyData(checkout: string): Promise<void> {
  const { stdout } = await exec('git', ['-c', `safe.directory=${checkout}`, 'status', '--porcelain', '--ignored'], {
    cwd: checkout,
  })
  expect(stdout.trim().split('\n').toSorted()).toEqual(['!! .catchment/', '!! node_modules/'])
  expect((await readdir(join(checkout, '.catchment'))).toSorted()).toEqual(
    ['address', 'admin-key', 'postgres', 'sandbox', 'sandbox-access.json', 'webhook-secret'].toSorted(),
  )
}

const relocated = async () =>
  (await Promise.all(['/var/lib', '/var/tmp'].map((parent) => readdir(parent))))
    .flat()
    .filter((name) => name.startsWith('catchment-'))

it('as root, with install scripts', async () => {
  const before = await relocated()
  const { stderr, seconds } = await firstStart(clones.whole)
  process.stderr.write(`as root: ${seconds.toFixed(1)} s from npm start to a scanned catalog\n`)
  expect(stderr).not.toContain('cannot reach')
  await expectOnlyData(clones.whole)
  expect(await relocated()).toEqual(before)
})

it('as an ordinary user, without install scripts', async () => {
  const home = join(folder.path, 'home')
  const checkout = join(home, 'catchment')
  await mkdir(home)
  await exec('cp', ['-a', clones.scriptless, checkout])
  await exec('chown', ['-R', `${daemon.uid}:${daemon.gid}`, home])
  await chmod(home, 0o700)
  const { seconds } = await firstStart(checkout, { home, ...daemon })
  process.stderr.write(`as an ordinary user: ${seconds.toFixed(1)} s\n`)
  await expectOnlyData(checkout)
  expect((await lstat(join(checkout, '.catchment/postgres/data'))).uid).toBe(daemon.uid)
})

it('as root where only root may go, without install scripts: it says where the data lives, and it can be removed', async () => {
  const home = join(folder.path, 'roots-home')
  const checkout = join(home, 'catchment')
  await mkdir(home)
  await exec('cp', ['-a', clones.scriptless, checkout])
  await chown(home, 0, 0)
  await chmod(home, 0o700)
  const before = await relocated()
  const { stderr, seconds } = await firstStart(checkout)
  process.stderr.write(`as root where only root may go: ${seconds.toFixed(1)} s\n`)
  const place = await realpath(join(checkout, '.catchment/postgres'))
  try {
    expect(stderr).toContain(`The database lives in ${place}`)
    expect((await relocated()).filter((name) => !before.includes(name))).toEqual([place.split('/').at(-1)])
    await expectOnlyData(checkout)
  } finally {
    await rm(place, { recursive: true, force: true })
  }
})
