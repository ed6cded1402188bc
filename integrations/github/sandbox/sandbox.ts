// A GitHub of one's own: real HTTP, real state, no GitHub. See docs/sandbox.md.
import { randomBytes } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { dirname, join, resolve } from 'node:path'
import { type Control, connectControl } from './control/client.ts'
import { tokenInput } from './control/schema.ts'
import { makeToken, switchboard } from './control/switchboard.ts'
import { Faults } from './http/faults.ts'
import { githubLimits, type LimitSettings, Limits } from './http/limits.ts'
import { RequestLog } from './http/requestLog.ts'
import type { App } from './http/route.ts'
import { makeServer } from './http/server.ts'
import { Life } from './life/life.ts'
import { pageFor } from './life/page.ts'
import { routes } from './routes/index.ts'
import { seedWorld } from './seed/seed.ts'
import { World } from './state/world.ts'
import { Sender } from './webhooks/sender.ts'

export interface SandboxOptions {
  /** Where the state is kept. Only one sandbox at a time may use it. */
  data: string
  /** 0 or absent: the port of the last start if it is still free, else any. */
  port?: number
  host?: string
  /** Repositories of the first start, over both organisations. */
  repos?: number
  seed?: number
  /** Seconds between two small changes; absent: nothing happens by itself. */
  life?: number
  controlToken?: string
  limits?: Partial<LimitSettings>
  /** Milliseconds. */
  clock?: () => number
}

export interface Sandbox {
  /** Base address of the API, without a trailing slash; `${url}/api/v3` serves the same. */
  readonly url: string
  /** A classic token with every scope, of the machine account that owns both organisations. */
  readonly token: string
  readonly control: Control
  stop(): Promise<void>
}

interface Credentials {
  readonly token: string
  readonly controlToken: string
}

/** The two secrets of a sandbox are made once and kept beside its state, readable by its user only. */
function credentials(dir: string, world: World, controlToken: string | undefined): Credentials {
  const path = join(dir, 'credentials.json')
  let kept: Partial<Credentials> = {}
  try {
    // Written by the line below; a missing or damaged file gives new secrets.
    kept = JSON.parse(readFileSync(path, 'utf8')) as Partial<Credentials>
  } catch {}
  const made = {
    token: kept.token ?? makeToken(world, tokenInput.parse({ name: 'owner' })).token,
    controlToken: controlToken ?? kept.controlToken ?? randomBytes(18).toString('hex'),
  }
  writeFileSync(path, JSON.stringify(made), { mode: 0o600 })
  return made
}

/** A free port, `wanted` if it is one. */
async function freePort(host: string, wanted: number): Promise<number> {
  const probe = createServer()
  const tryPort = (port: number): Promise<number> =>
    new Promise((resolve, reject) => {
      probe.once('error', reject)
      probe.listen(port, host, () => {
        // An address of a listening TCP server is always an object.
        const { port: found } = probe.address() as AddressInfo
        probe.close(() => resolve(found))
      })
    })
  return tryPort(wanted).catch(() => tryPort(0))
}

export async function startSandbox(options: SandboxOptions): Promise<Sandbox> {
  const host = options.host ?? '127.0.0.1'
  const clock = options.clock ?? Date.now
  // Ours alone; the folders above it are not ours to close.
  mkdirSync(dirname(resolve(options.data)), { recursive: true })
  mkdirSync(options.data, { recursive: true, mode: 0o700 })
  const world = new World(options.data, clock)
  if (world.empty) seedWorld(world, options.seed ?? 1, options.repos ?? 60)
  const port = options.port === undefined || options.port === 0 ? await freePort(host, world.meta.port) : options.port
  const url = `http://${host}:${port}`
  if (world.meta.port !== port) world.transaction((tx) => tx.put('meta', { ...world.meta, port }))
  const secrets = credentials(options.data, world, options.controlToken)

  const limits = new Limits({ ...githubLimits, ...options.limits }, clock)
  const faults = new Faults(limits.now)
  const app: App = { world, sites: { api: url, web: url }, limits, faults }
  const sender = new Sender(world, faults)
  const life = new Life(app)
  const log = new RequestLog()
  const board = switchboard({ app, log, sender, life, key: secrets.controlToken })
  const server = makeServer({ app, routes, log, switchboard: board, page: (path) => pageFor(world, url, path) })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, resolve)
  })
  sender.pump()
  if (options.life !== undefined && options.life > 0) life.start(options.life)

  let stopped: Promise<void> | undefined
  const stop = async (): Promise<void> => {
    life.stop()
    await new Promise<void>((resolve) => {
      server.close(() => resolve())
      server.closeAllConnections()
    })
    await sender.stop()
    world.close()
  }
  return {
    url,
    token: secrets.token,
    control: connectControl(url, secrets.controlToken),
    stop: () => {
      stopped ??= stop()
      return stopped
    },
  }
}
