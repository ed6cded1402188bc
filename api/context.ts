import type {
  FastifyBaseLogger,
  FastifyInstance,
  RawReplyDefaultExpression,
  RawRequestDefaultExpression,
  RawServerDefault,
} from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import type { Logger } from 'pino'
import type { Db } from '../core/catalog/db.ts'
import type { Manual } from '../core/catalog/manual/manual.ts'
import type { Objectives } from '../core/catalog/query/freshness.ts'
import type { Undo } from '../core/catalog/undo.ts'
import type { Metrics } from '../core/ops/metrics.ts'
import type { Plans } from '../core/plan/plans.ts'
import type { Engine } from '../core/sync/engine.ts'
import type { Access } from './auth.ts'
import type { FeedHub } from './feed.ts'

/** A fastify instance whose routes are typed by their zod schemas. */
export type Api = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  FastifyBaseLogger,
  ZodTypeProvider
>

/** What routes and pages work with. */
export interface Context {
  readonly db: Db
  readonly engine: Engine
  readonly manual: Manual
  readonly undo: Undo
  readonly access: Access
  readonly feed: FeedHub
  readonly plans: Plans
  readonly metrics: Metrics
  readonly log: Logger
  readonly objectives: Objectives
  /** Milliseconds between two signs of life on a silent stream. */
  readonly heartbeat: number
  /** Milliseconds since the epoch. */
  readonly now: () => number
}
