import { z } from 'zod'
import { readiness } from '../../core/catalog/query/readiness.ts'
import { catalogMetrics } from '../../core/ops/catalog-metrics.ts'
import { CatchmentError } from '../../core/sdk/index.ts'
import type { Api, Context } from '../context.ts'
import { problems } from './schemas.ts'

const local = { access: 'local' } as const

export function probeRoutes(app: Api, context: Context): void {
  const { db, engine, metrics } = context
  const catalog = catalogMetrics(metrics.registry, context)

  app.get(
    '/healthz',
    {
      config: local,
      schema: {
        tags: ['probes'],
        summary: 'The process lives',
        response: { 200: z.object({ status: z.literal('ok') }) },
      },
    },
    async () => ({ status: 'ok' as const }),
  )

  app.get(
    '/readyz',
    {
      config: local,
      schema: {
        tags: ['probes'],
        summary: 'A scanned catalog can be served',
        response: { 200: z.object({ status: z.literal('ready'), reason: z.string() }), ...problems },
      },
    },
    async () => {
      const kinds = engine.sources.flatMap((source) => source.kinds.map((kind) => ({ source: source.name, kind })))
      const { ready, reason } = await readiness(db, kinds)
      if (ready) return { status: 'ready' as const, reason }
      throw new CatchmentError(reason, {
        code: 'not_ready',
        status: 503,
        hint: 'Wait for the first scan; see its progress: GET /api/v1/scans',
        details: { retryAfterSeconds: 1 },
      })
    },
  )

  app.get(
    '/metrics',
    {
      config: local,
      schema: {
        tags: ['probes'],
        summary: 'Metrics in the text format of Prometheus',
        response: { 200: { description: 'Metrics.', content: { 'text/plain': { schema: z.string() } } } },
      },
    },
    async (_request, reply) => {
      // The process is worth looking at even more while the database is away.
      await catalog
        .refresh()
        .catch((error: unknown) => context.log.warn({ error }, 'Metrics of the catalog are missing'))
      return reply.type(metrics.registry.contentType).send(await metrics.registry.metrics())
    },
  )
}
