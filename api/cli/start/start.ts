import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { readiness } from '../../../core/catalog/query/readiness.ts'
import { type Config, Redacted, type SourceConfig } from '../../../core/config/index.ts'
import { Budgets } from '../../../core/http/index.ts'
import { createLog, engineLog } from '../../../core/ops/log.ts'
import { createMetrics } from '../../../core/ops/metrics.ts'
import { CatchmentError, type Integration } from '../../../core/sdk/index.ts'
import type { EngineEvent, Ports } from '../../../core/sync/engine.ts'
import { createEngine } from '../../../core/sync/index.ts'
import { type SpawnedSandbox, spawnSandbox } from '../../../integrations/github/sandbox/spawn.ts'
import { buildServer } from '../../server.ts'
import { Progress } from '../progress.ts'
import { openCatalog } from './database.ts'
import { firstRun } from './first-run.ts'
import { listen } from './listen.ts'
import { registerHooks } from './sandbox.ts'
import { ownSecret, writePrivate } from './secrets.ts'
import { buildSource } from './sources.ts'

export interface StartOptions {
  readonly config: Config
  readonly integrations: Readonly<Record<string, Integration>>
  /** Apply mapping and blueprint files that changed since the last start. */
  readonly apply: boolean
  /** Seconds between two small changes in the sandbox; 0: none. */
  readonly life: number
  /** How many repositories the sandbox has at its first start. Default: about 60. */
  readonly repos?: number
  readonly environment: Readonly<Record<string, string | undefined>>
}

const sandboxOrganizations = ['acme', 'acme-labs']

/** Runs Catchment until a signal ends it or the database is lost. Answers the exit status. */
export async function start(options: StartOptions): Promise<number> {
  const { config } = options
  const began = Date.now()
  const ending: (() => Promise<void>)[] = []
  const stop = new AbortController()
  let signals = 0
  const asked = new Promise<undefined>((resolve) => {
    stop.signal.addEventListener('abort', () => resolve(undefined), { once: true })
  })
  const onSignal = (): void => {
    signals += 1
    // Whoever presses Ctrl-C twice does not want to wait; the next start recovers.
    if (signals > 1) process.exit(130)
    stop.abort()
  }
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal)
  const progress = new Progress(process.stderr, Date.now)
  const say = (text: string): void => progress.say(text)

  try {
    const key = config.adminKey?.reveal() ?? ownSecret(config.data, 'admin-key')
    const log = createLog({
      level: options.environment['CATCHMENT_LOG'] === 'debug' ? 'debug' : 'warn',
      secrets: [key, config.databaseUrl?.reveal() ?? ''],
    })
    const metrics = createMetrics()
    const portLog = engineLog(log)
    const catalog = await openCatalog({
      dataDir: config.data,
      ...(config.databaseUrl === undefined ? {} : { databaseUrl: config.databaseUrl.reveal() }),
      say,
      log: portLog,
    })
    ending.push(() => catalog.close())

    let sandbox: SpawnedSandbox | undefined
    let sources = config.sources
    if (config.mode === 'sandbox') {
      sandbox = await spawnSandbox({
        data: join(config.data, 'sandbox'),
        ...(options.life === 0 ? {} : { life: options.life }),
        ...(options.repos === undefined ? {} : { repos: options.repos }),
      })
      const { stop: stopSandbox } = sandbox
      ending.push(stopSandbox)
      // Its address and control key, for whoever wants to play with it.
      writePrivate(
        config.data,
        'sandbox-access.json',
        JSON.stringify({ url: sandbox.url, token: sandbox.token, controlToken: sandbox.control.token }),
      )
      sources = [sandboxSource(sandbox, config.data)]
    }

    const ports: Ports = {
      store: catalog.store,
      clock: {
        now: Date.now,
        sleep: (milliseconds, signal) =>
          pause(milliseconds, undefined, signal === undefined ? {} : { signal }).catch(() => {}),
      },
      random: Math.random,
      log: portLog,
      onEvent: (event: EngineEvent) => {
        metrics.onEvent(event)
        progress.onEvent(event)
      },
    }
    const budgets = new Budgets()
    const precedence = config.mode === 'sandbox' ? ['manual', 'github'] : config.precedence
    const built = []
    for (const [index, source] of sources.entries()) {
      const integration = options.integrations[source.integration]
      if (integration === undefined) throw unknownIntegration(source, options.integrations)
      built.push(
        await buildSource(
          source,
          index,
          { ...config, precedence },
          integration,
          catalog.store,
          {
            ports,
            budgets,
            environment: options.environment,
          },
          { apply: options.apply },
        ),
      )
    }
    for (const { http } of built) ending.push(() => http.close())
    for (const { pending } of built) if (pending !== undefined) say(pending)
    const frozen = await catalog.store.freezeSourcesExcept(sources.map((source) => source.name))
    for (const name of frozen)
      say(
        `Source ${name} is no longer in the configuration: kept as it was. Remove it with: catchment source remove ${name}`,
      )

    const engine = createEngine(
      ports,
      built.map(({ runtime }) => runtime),
      {
        holder: `${hostname()}:${process.pid}:${randomUUID().slice(0, 8)}`,
        applyPending: options.apply,
      },
    )
    const server = await buildServer({
      db: catalog.db,
      engine,
      config: {
        adminKey: key,
        host: config.server.host,
        port: config.server.port,
        objectives: Object.fromEntries(built.map(({ runtime }) => [runtime.name, runtime.schedule.freshnessSeconds])),
        version: version(),
      },
      log,
      metrics,
    })
    const url = await listen(server, config.server)
    ending.push(() => server.close())
    writePrivate(config.data, 'address', url)

    if (sandbox !== undefined)
      await registerHooks(sandbox, sandboxOrganizations, {
        url: `${url}/webhooks/github`,
        secret: ownSecret(config.data, 'webhook-secret'),
      })
    say(`Catchment on ${url}, data in ${catalog.where}`)
    say(
      sandbox === undefined
        ? `Scanning ${sources.map((source) => source.name).join(', ') || 'nothing: the configuration names no source'}`
        : `Scanning the sandbox organisations ${sandboxOrganizations.join(' and ')} at ${sandbox.url}`,
    )
    await engine.start()
    ending.push(() => engine.stop())

    const wanted = built.flatMap(({ runtime }) => runtime.kinds.map((kind) => ({ source: runtime.name, kind })))
    void announce({
      ready: () => readiness(catalog.db, wanted).then((answer) => answer.ready),
      stop: stop.signal,
    }).then((isReady) => {
      if (!isReady) return
      progress.settle()
      for (const line of firstRun({
        url,
        token: server.loginToken(),
        seconds: (Date.now() - began) / 1000,
        sandbox: sandbox !== undefined,
      }))
        say(line)
    })

    const lost = await Promise.race([
      asked,
      catalog.lost,
      ...(sandbox === undefined ? [] : [sandbox.exited.then(() => sandboxGone())]),
    ])
    if (lost !== undefined && !stop.signal.aborted) throw lost
    say('Stopping...')
    return 0
  } finally {
    stop.abort()
    for (const end of ending.reverse())
      await end().catch((error: unknown) =>
        say(`while stopping: ${error instanceof Error ? error.message : String(error)}`),
      )
    process.off('SIGINT', onSignal).off('SIGTERM', onSignal)
  }
}

function sandboxGone(): Error {
  return new CatchmentError('The sandbox organisation ended by itself.', {
    code: 'sandbox_failed',
    hint: 'Start again; its state is kept.',
  })
}

function sandboxSource(sandbox: SpawnedSandbox, dataDir: string): SourceConfig {
  return {
    name: 'github',
    integration: 'github',
    config: new Redacted<unknown>({
      token: sandbox.token,
      organizations: sandboxOrganizations,
      baseUrl: sandbox.url,
      pageSize: 30,
    }),
    schedule: { scan: '*/5 * * * *', freshnessSeconds: 900 },
    variables: {},
    guard: { share: 0.25, minimum: 5 },
    quota: { reserve: 0.4 },
    webhooks: { manage: false, secret: new Redacted(ownSecret(dataDir, 'webhook-secret')) },
  }
}

function unknownIntegration(source: SourceConfig, integrations: Readonly<Record<string, Integration>>): CatchmentError {
  return new CatchmentError(`Source ${source.name} names the integration ${source.integration}, which there is not.`, {
    code: 'integration_unknown',
    hint: `integrations: ${Object.keys(integrations).join(', ')}`,
    exitCode: 2,
  })
}

function version(): string {
  // Our own package.json.
  const parsed = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')) as {
    version: string
  }
  return parsed.version
}

/** Resolves true once a scanned catalog can be served, false when we are stopped before. */
async function announce(options: { ready: () => Promise<boolean>; stop: AbortSignal }): Promise<boolean> {
  while (!options.stop.aborted) {
    if (await options.ready().catch(() => false)) return true
    await pause(50)
  }
  return false
}
