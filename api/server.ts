import { randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { setTimeout as pause } from 'node:timers/promises'
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import { serializerCompiler, validatorCompiler, type ZodTypeProvider } from 'fastify-type-provider-zod'
import type { Logger } from 'pino'
import type { Db } from '../core/catalog/db.ts'
import { createManual, type Manual } from '../core/catalog/manual/manual.ts'
import { createStore } from '../core/catalog/postgres-store.ts'
import type { Objectives } from '../core/catalog/query/freshness.ts'
import { createUndo } from '../core/catalog/undo.ts'
import { engineLog } from '../core/ops/log.ts'
import { createMetrics, type Metrics } from '../core/ops/metrics.ts'
import { createPlans } from '../core/plan/plans.ts'
import { CatchmentError } from '../core/sdk/index.ts'
import type { Engine } from '../core/sync/engine.ts'
import { createAccess } from './auth.ts'
import { acceptJson } from './body.ts'
import type { Api, Context } from './context.ts'
import { FeedHub } from './feed.ts'
import { openapi } from './openapi.ts'
import { pageRoutes } from './pages/routes.ts'
import { answer } from './problem.ts'
import { changeRoutes } from './routes/changes.ts'
import { entityRoutes } from './routes/entities.ts'
import { evidenceRoutes } from './routes/evidence.ts'
import { explainRoutes } from './routes/explain.ts'
import { heldRoutes } from './routes/held.ts'
import { historyRoutes } from './routes/history.ts'
import { mappingRoutes } from './routes/mappings.ts'
import { pinRoutes } from './routes/pins.ts'
import { planRoutes } from './routes/plans.ts'
import { probeRoutes } from './routes/probes.ts'
import { relationRoutes } from './routes/relations.ts'
import { sourceRoutes } from './routes/sources.ts'
import { writeRoutes } from './routes/write.ts'
import { webhookRoutes } from './webhooks.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** A one-use token for `/?token=`, which opens a browser session. */
    loginToken(): string
  }
}

export interface ServerOptions {
  readonly db: Db
  readonly engine: Engine
  /** What writes for people. Default: one with a store of its own, whose word comes first. */
  readonly manual?: Manual
  readonly config: {
    readonly adminKey: string
    readonly host: string
    readonly port: number
    readonly objectives: Objectives
    /** Of Catchment, for the API's description. */
    readonly version?: string
  }
  readonly log: Logger
  /** The same that the engine's events go to; without it the server has its own. */
  readonly metrics?: Metrics
  /** Milliseconds since the epoch. */
  readonly now?: () => number
  /** Milliseconds between two signs of life on a silent stream. Default 15 s: proxies close what is silent for a minute. */
  readonly heartbeat?: number
}

/** Everything HTTP: webhooks, API, first page, probes. Listening and closing are the caller's. */
export async function buildServer(options: ServerOptions): Promise<FastifyInstance> {
  const { db, engine, config, log } = options
  const fastify = Fastify({
    logger: false,
    genReqId: requestId,
    bodyLimit: 1024 * 1024,
    requestTimeout: 120_000,
    onProtoPoisoning: 'error',
    onConstructorPoisoning: 'error',
    // Identifiers are as long as sources make them.
    routerOptions: { maxParamLength: 4096 },
    frameworkErrors: (error, request, reply) => {
      refuse(error, request, reply)
    },
  })
  const app: Api = fastify.withTypeProvider<ZodTypeProvider>()
  const now = options.now ?? Date.now
  const context: Context = {
    db,
    engine,
    manual: options.manual ?? createManual({ db, store: createStore(db), precedence: -1, now }),
    undo: createUndo({ db, now }),
    log,
    access: createAccess({ adminKey: config.adminKey, port: config.port }),
    feed: new FeedHub(db),
    plans: createPlans({
      db,
      engine,
      ports: { clock: planClock(options.now ?? Date.now), random: Math.random, log: engineLog(log) },
    }),
    metrics: options.metrics ?? createMetrics(),
    objectives: config.objectives,
    heartbeat: options.heartbeat ?? 15_000,
    now,
  }

  const refuse = (error: unknown, request: FastifyRequest, reply: FastifyReply): void => {
    const { problem, headers, unexpected } = answer(error, request)
    if (unexpected) log.error({ error, requestId: request.id, route: request.routeOptions.url }, 'A request failed')
    void reply
      .code(problem.status)
      .headers({ ...headers, 'x-request-id': request.id })
      .type('application/problem+json')
      // Problems have a serializer of their own: the route's knows only what it answers itself.
      .serializer((value: unknown) => JSON.stringify(value))
      .send(problem)
  }

  app.setValidatorCompiler(validatorCompiler)
  app.setSerializerCompiler(serializerCompiler)
  acceptJson(app)
  app.decorate('loginToken', () => context.access.loginToken())
  app.decorateRequest('who', '')
  app.setErrorHandler(refuse)
  app.setNotFoundHandler((request, reply) => refuse(unknownRoute(request), request, reply))
  app.addHook('onRequest', async (request, reply) => {
    void reply.header('x-request-id', request.id)
    if (request.is404) return
    const docs = request.routeOptions.url?.startsWith('/docs') === true
    context.access.authorise(request, reply, request.routeOptions.config.access ?? (docs ? 'local' : 'key'))
  })
  app.addHook('onSend', async (_request, reply) => {
    void reply.header('x-content-type-options', 'nosniff')
  })
  app.addHook('onResponse', async (request, reply) => {
    const route = request.routeOptions.url ?? 'unknown'
    context.metrics.request(request.method, route, reply.statusCode, reply.elapsedTime / 1000)
    const fields = { requestId: request.id, method: request.method, route, status: reply.statusCode }
    log.debug({ ...fields, milliseconds: Math.round(reply.elapsedTime) }, 'Request answered')
  })
  app.addHook('preClose', async () => {
    await Promise.all([context.feed.close(), context.plans.close()])
  })

  await openapi(app, config.version ?? '0.0.0')
  await app.register(async (scope) => webhookRoutes(scope, context))
  await app.register(
    async (scope) => {
      for (const routes of [
        entityRoutes,
        historyRoutes,
        relationRoutes,
        writeRoutes,
        sourceRoutes,
        heldRoutes,
        pinRoutes,
        evidenceRoutes,
        changeRoutes,
        explainRoutes,
        planRoutes,
        mappingRoutes,
      ]) {
        routes(scope, context)
      }
    },
    { prefix: '/api/v1' },
  )
  await app.register(async (scope) => probeRoutes(scope, context))
  await app.register(async (scope) => pageRoutes(scope, context))
  return fastify
}

/** A plan asks for the time and never waits for it to pass. */
function planClock(now: () => number): { now(): number; sleep(milliseconds: number): Promise<void> } {
  return { now, sleep: (milliseconds) => pause(milliseconds) }
}

/** The caller's, if it is a plain word; it comes back as x-request-id and is in the log. */
function requestId(request: IncomingMessage): string {
  const given = request.headers['x-request-id']
  return typeof given === 'string' && /^[\w.:-]{1,128}$/.test(given) ? given : randomUUID()
}

function unknownRoute(request: FastifyRequest): CatchmentError {
  const path = request.url.split('?')[0] ?? ''
  const entity = /^\/api\/v1\/entities\/([^/]+)\/(.+)$/.exec(path)
  const hint =
    entity === null
      ? 'See /docs for what there is.'
      : `Percent-encode the identifier: /api/v1/entities/${entity[1]}/${encodeURIComponent(entity[2] ?? '')}`
  return new CatchmentError(`There is no ${request.method} ${path.slice(0, 200)}.`, {
    code: 'route_unknown',
    status: 404,
    hint,
  })
}
