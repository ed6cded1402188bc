import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import { dirname } from 'node:path'
import { setTimeout as pause, setImmediate } from 'node:timers/promises'
import type { Db } from '../../../core/catalog/db.ts'
import { createManual } from '../../../core/catalog/manual/manual.ts'
import { objectivesOf } from '../../../core/catalog/query/freshness.ts'
import { readiness } from '../../../core/catalog/query/readiness.ts'
import { listSources } from '../../../core/catalog/query/sources.ts'
import { markSandbox } from '../../../core/catalog/sandbox.ts'
import { MANUAL } from '../../../core/catalog/store.ts'
import type { Config, SourceConfig } from '../../../core/config/index.ts'
import { Budgets } from '../../../core/http/index.ts'
import { engineLog } from '../../../core/ops/log.ts'
import { createMetrics } from '../../../core/ops/metrics.ts'
import { CatchmentError, type Integration } from '../../../core/sdk/index.ts'
import type { Engine, EngineEvent, Ports } from '../../../core/sync/engine.ts'
import { createEngine } from '../../../core/sync/index.ts'
import { type SpawnedSandbox, spawnSandbox } from '../../../integrations/github/sandbox/spawn.ts'
import { buildServer } from '../../server.ts'
import { Progress } from '../progress.ts'
import { version } from '../version.ts'
import { openCatalog } from './database.ts'
import { blueprintsOf, describeWarnings } from './files.ts'
import { exampleEntity, firstRun } from './first-run.ts'
import { withHookSecret, withHooks } from './hooks.ts'
import { checkKinds } from './kinds.ts'
import { listen } from './listen.ts'
import { openLog, tellScan } from './log.ts'
import { endSandbox, refuseToMix, sandboxFolder, sandboxName } from './own-sources.ts'
import { registerHooks, sandboxGone, sandboxOrganizations, sandboxSource } from './sandbox.ts'
import { makeDataDirectory, ownSecret, secretsOf, writePrivate } from './secrets.ts'
import { onWishToEnd } from './signals.ts'
import { buildSource } from './sources.ts'

export interface StartOptions {
  readonly config: Config
  /** Reads the configuration and its files again. */
  readonly reload: () => Config
  readonly integrations: Readonly<Record<string, Integration>>
  /** Apply mapping and blueprint files that changed since the last start. */
  readonly apply: boolean
  /** Seconds between two small changes in the sandbox; 0: none. */
  readonly life: number
  /** How many repositories the sandbox has at its first start. Default: about 60. */
  readonly repos?: number
  readonly environment: Readonly<Record<string, string | undefined>>
}

/** Runs Catchment until a signal ends it or the database is lost. Answers the exit status. */
export async function start(options: StartOptions): Promise<number> {
  const { config } = options
  const began = Date.now()
  const ending: (() => Promise<void>)[] = []
  const stop = new AbortController()
  const asked = new Promise<undefined>((resolve) => {
    stop.signal.addEventListener('abort', () => resolve(undefined), { once: true })
  })
  const progress = new Progress(process.stderr, Date.now)
  const say = (text: string): void => progress.say(text)
  const deaf = onWishToEnd(stop, () => say('Stopping...'))

  try {
    checkKinds(config, options.integrations)
    makeDataDirectory(config.data)
    const key = config.adminKey?.reveal() ?? ownSecret(config.data, 'admin-key')
    const managed = config.sources.map((source) => withHookSecret(source, config.data))
    const log = openLog({
      level: options.environment['CATCHMENT_LOG'],
      secrets: [key, ...secretsOf(config)],
      out: process.stdout,
      progress,
    })
    const metrics = createMetrics()
    const portLog = engineLog(log)
    const catalog = await openCatalog({
      dataDir: config.data,
      keepSeconds: config.history.keepSeconds,
      ...(config.databaseUrl === undefined ? {} : { databaseUrl: config.databaseUrl.reveal() }),
      say,
      log: portLog,
    })
    ending.push(() => catalog.close())

    let sandbox: SpawnedSandbox | undefined
    let sources = managed
    if (config.mode !== 'sandbox') await endSandbox(catalog.db, config.data, say)
    else {
      await refuseToMix(catalog.db, config.data)
      sandbox = await spawnSandbox({
        data: sandboxFolder(config.data),
        ...(options.life === 0 ? {} : { life: options.life }),
        ...(options.repos === undefined ? {} : { repos: options.repos }),
      })
      const spawned = sandbox
      ending.push(() => spawned.stop())
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
      breathe: () => setImmediate(),
      random: Math.random,
      log: portLog,
      onEvent: (event: EngineEvent) => {
        metrics.onEvent(event)
        progress.onEvent(event)
        if (event.type === 'scanned')
          tellScan(catalog.db, event.scan, log, progress).catch((error: unknown) =>
            log.warn({ error, scan: event.scan }, 'The end of a scan cannot be told'),
          )
      },
    }
    const budgets = new Budgets()
    const precedence = config.mode === 'sandbox' ? ['manual', sandboxName] : config.precedence
    const built = []
    for (const source of sources) {
      const integration = options.integrations[source.integration]
      if (integration === undefined) throw unknownIntegration(source, options.integrations)
      built.push(
        await buildSource(
          source,
          integration,
          catalog.store,
          {
            ports,
            budgets,
            environment: options.environment,
            ...(config.file === undefined ? {} : { folder: dirname(config.file) }),
          },
          {
            apply: options.apply,
            precedence: precedence.indexOf(source.name),
            blueprints: sources.filter((other) => other !== source).flatMap(blueprintsOf),
            reread: () => options.reload().sources.find(({ name }) => name === source.name) ?? source,
          },
        ),
      )
    }
    if (sandbox !== undefined) await markSandbox(catalog.db, sandboxName)
    for (const { http } of built) ending.push(() => http.close())
    for (const { warnings } of built) for (const line of describeWarnings(warnings)) say(line)
    for (const { pending } of built) if (pending !== undefined) say(pending)
    const frozen = await catalog.store.freezeSourcesExcept(sources.map((source) => source.name))
    for (const name of frozen)
      say(
        `Source ${name} is no longer in the configuration: kept as it was. Remove it with: catchment source remove ${name}`,
      )

    let url = ''
    const engine = createEngine(
      ports,
      built.map(({ runtime }, index) => withHooks(runtime, sources[index], () => url)),
      {
        // The embedded database has one owner at a time, guarded by its lock: whoever starts is the holder, and goes on at once
        // where one that crashed left off. A server may be shared, so there each start is another holder.
        holder:
          config.databaseUrl === undefined ? 'embedded' : `${hostname()}:${process.pid}:${randomUUID().slice(0, 8)}`,
      },
    )
    const manual = createManual({
      db: catalog.db,
      store: catalog.store,
      precedence: precedence.indexOf(MANUAL),
      now: Date.now,
    })
    await manual.refresh()
    const server = await buildServer({
      db: catalog.db,
      engine,
      manual,
      config: {
        adminKey: key,
        host: config.server.host,
        port: config.server.port,
        objectives: objectivesOf(built.map(({ runtime }) => runtime)),
        version: version(),
      },
      log,
      metrics,
    })
    url = await listen(server, config.server)
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
    await tryAgain(catalog.db, engine)

    const wanted = built.flatMap(({ runtime }) => runtime.kinds.map((kind) => ({ source: runtime.name, kind })))
    void announce({
      ready: () => readiness(catalog.db, wanted).then((answer) => answer.ready),
      stop: stop.signal,
    }).then(async (isReady) => {
      if (!isReady) return
      progress.settle()
      const example = sandbox === undefined ? await exampleEntity(catalog.db).catch(() => undefined) : exampleOfSandbox
      for (const line of firstRun({
        url,
        example,
        token: server.loginToken(),
        seconds: (Date.now() - began) / 1000,
        ...(sandbox === undefined ? {} : { sandbox: { life: options.life } }),
      }))
        say(line)
    })

    const lost = await Promise.race([
      asked,
      catalog.lost,
      ...(sandbox === undefined ? [] : [sandbox.exited.then(() => sandboxGone())]),
    ])
    if (lost !== undefined && !stop.signal.aborted) throw lost
    return 0
  } finally {
    stop.abort()
    for (const end of ending.reverse())
      await end().catch((error: unknown) =>
        say(`while stopping: ${error instanceof Error ? error.message : String(error)}`),
      )
    deaf()
  }
}

/** It has all that there is to explain: several kinds, relations, a team. */
const exampleOfSandbox = 'service:acme/checkout'

/** A start is a fresh try: whoever has just replaced a token does not wait for the schedule. */
async function tryAgain(db: Db, engine: Engine): Promise<void> {
  for (const { name, kinds } of await listSources(db, objectivesOf(engine.sources), Date.now())) {
    const configured = engine.sources.find((source) => source.name === name)?.kinds ?? []
    for (const kind of kinds)
      if (kind.freshness === 'unknown' && configured.includes(kind.name)) await engine.requestScan(name, kind.name)
  }
}

function unknownIntegration(source: SourceConfig, integrations: Readonly<Record<string, Integration>>): CatchmentError {
  return new CatchmentError(`Source ${source.name} names the integration ${source.integration}, which there is not.`, {
    code: 'integration_unknown',
    hint: `integrations: ${Object.keys(integrations).join(', ')}`,
    exitCode: 2,
  })
}

/** Resolves true once a scanned catalog can be served, false when we are stopped before. */
async function announce(options: { ready: () => Promise<boolean>; stop: AbortSignal }): Promise<boolean> {
  while (!options.stop.aborted) {
    if (await options.ready().catch(() => false)) return true
    await pause(50)
  }
  return false
}
