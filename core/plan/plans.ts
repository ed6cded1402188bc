import type { Db } from '../catalog/db.ts'
import { abandonPlans, getPlan, movePlan, type PlanRow } from '../catalog/plans.ts'
import { createStore } from '../catalog/postgres-store.ts'
import { type ActiveVersion, activeVersions, formerVersion, getVersion } from '../catalog/versions.ts'
import { parseBlueprints } from '../mapping/index.ts'
import type { Blueprint } from '../model/blueprint.ts'
import { CatchmentError, type Json } from '../sdk/index.ts'
import type { Engine, MappingContent, Ports, SourceRuntime } from '../sync/engine.ts'
import { describeError, SourceUnknown } from '../sync/errors.ts'
import { createMutex } from '../sync/mutex.ts'
import { type ActiveMappings, activeMappings } from './active.ts'
import { type Candidate, compileCandidate, describeProblems, differences } from './candidate.ts'
import { beginPlan, outsidePlan } from './make.ts'

export interface FileText {
  readonly file: string
  readonly text: string
}

export interface PlanRequest {
  readonly source: string
  /** An older version. Without it: what the files say, with what is given here instead of them. */
  readonly version?: string
  /** The version that was active before. */
  readonly back?: boolean
  readonly mapping?: FileText
  readonly blueprints?: readonly FileText[]
  /** `named`: the blueprints given take the place of those of the same identifier. */
  readonly replace?: 'all' | 'named'
}

export interface Plans {
  /** Resolves when the plan is stored; `done` when it is made, or has failed. Throws what is wrong with the request. */
  create(request: PlanRequest, who: string): Promise<{ readonly id: string; readonly done: Promise<void> }>
  /** Resolves when it is taken up; `done` when it is activated, or was refused (state `stale`). */
  apply(id: string, who: string): Promise<{ readonly done: Promise<void> }>
  /** Which parts of the source's files differ from the active version; undefined when they cannot be read. */
  pending(active: ActiveVersion): readonly string[] | undefined
  /** Of each source the mapping that is active now, as it is compiled: for explain. */
  readonly active: () => Promise<ActiveMappings>
  close(): Promise<void>
}

export function createPlans(options: {
  readonly db: Db
  readonly engine: Engine
  readonly ports: Pick<Ports, 'clock' | 'random' | 'log'>
}): Plans {
  const { db, engine, ports } = options
  const stop = new AbortController()
  const planner = { db, ports, signal: stop.signal }
  const store = createStore(db)
  // Each one copies the catalog for as long as it takes.
  const oneAtATime = createMutex()
  const running = new Set<Promise<void>>()
  const abandoned = abandonPlans(db).catch(() => undefined)
  const keep = (work: Promise<void>): Promise<void> => {
    running.add(work)
    void work.finally(() => running.delete(work))
    return work
  }

  async function check(plan: PlanRow, who: string): Promise<void> {
    try {
      const { runtime, active } = await find(db, engine, plan.source)
      const content = plan.content as unknown as MappingContent
      const candidate = compileCandidate(runtime, content, plan.how)
      const undone = await wouldUndo(db, plan, active, content)
      if (undone !== undefined) {
        await movePlan(db, plan.id, ['checking'], 'stale', undone)
        return
      }
      const outside = await outsidePlan(planner, runtime, plan, candidate, active.id)
      if (outside.count > 0) {
        await movePlan(db, plan.id, ['checking'], 'stale', stale(plan.id, outside))
        return
      }
      const { hash } = candidate.version.mappings
      const blueprints = content.blueprints as readonly Json[]
      const by = { who, how: plan.how, plan: plan.id }
      await store.activateMapping(plan.sourceId, { hash, content: plan.content, blueprints }, by)
      for (const { kind } of plan.summary?.scans ?? []) await store.requestScan(plan.sourceId, kind)
      engine.wake()
    } catch (error) {
      await movePlan(db, plan.id, ['checking'], 'planned').catch(() => false)
      throw error
    }
  }

  return {
    async create(request, who) {
      await abandoned
      const { runtime, active } = await find(db, engine, request.source)
      const candidate = await candidateOf(db, runtime, active, request)
      const activeContent = active.content as unknown as MappingContent
      const { id, start } = await beginPlan(planner, runtime, { ...active, content: activeContent }, candidate, who)
      return { id: id.toString(), done: keep(oneAtATime(start)) }
    },

    async apply(id, who) {
      await abandoned
      const plan = await getPlan(db, id)
      if (['applying', 'applied', 'checking'].includes(plan.state)) return { done: Promise.resolve() }
      if (!(await movePlan(db, plan.id, ['planned', 'stale'], 'checking'))) throw notReady(plan)
      const done = keep(
        oneAtATime(() => check(plan, who)).catch((error: unknown) => {
          ports.log('error', 'a plan could not be applied', { plan: id, ...describeError(error) })
        }),
      )
      return { done }
    },

    pending(active) {
      const runtime = engine.sources.find(({ name }) => name === active.source)
      if (runtime?.versions === undefined) return []
      try {
        return differences(active.content as unknown as MappingContent, runtime.versions.files())
      } catch {
        return undefined
      }
    },

    active: activeMappings(db, engine),

    async close() {
      stop.abort()
      await Promise.allSettled(running)
    },
  }
}

function stale(id: bigint, outside: { readonly count: number; readonly samples: readonly string[] }) {
  return {
    code: 'plan_stale',
    message: `The catalog has changed since plan ${id}: it would now take away ${outside.count} more than was planned: ${outside.samples.join(', ')}.`,
    outside: { count: outside.count, samples: [...outside.samples] },
  }
}

/** Another version was activated since the plan was made, which says neither what the plan was made against nor what it wants. */
async function wouldUndo(
  db: Db,
  plan: PlanRow,
  active: ActiveVersion,
  content: MappingContent,
): Promise<{ readonly code: string; readonly message: string } | undefined> {
  if (active.id === plan.base) return undefined
  const base = await getVersion(db, String(plan.base))
  // Both were stored as such.
  const [before, now] = [base.content as unknown as MappingContent, active.content as unknown as MappingContent]
  if (differences(before, now).length === 0 || differences(now, content).length === 0) return undefined
  const by = active.who === null ? '' : `, ${active.how} by ${active.who}`
  return {
    code: 'plan_stale',
    message: `Version ${active.id} (${now.file}${by}) became the active one since plan ${plan.id} was made against version ${plan.base}: to apply the plan would undo it.`,
  }
}

function notReady({ id, state, problem }: PlanRow): CatchmentError {
  const why = typeof problem?.['message'] === 'string' ? `: ${problem['message']}` : ''
  return new CatchmentError(`Plan ${id} is ${state}${why}.`, {
    code: 'plan_not_ready',
    status: 409,
    hint: state === 'making' ? 'Try again when it is made.' : 'Make a new one with: catchment plan',
  })
}

async function find(
  db: Db,
  engine: Engine,
  name: string,
): Promise<{ readonly runtime: SourceRuntime; readonly active: ActiveVersion }> {
  const runtime = engine.sources.find((source) => source.name === name)
  if (runtime === undefined) throw new SourceUnknown(name)
  const [active] = await activeVersions(db, name)
  if (active !== undefined) return { runtime, active }
  throw new CatchmentError(`The source ${name} has no mapping yet.`, {
    code: 'starting',
    status: 503,
    hint: 'Try again soon.',
  })
}

async function candidateOf(
  db: Db,
  runtime: SourceRuntime,
  active: ActiveVersion,
  request: PlanRequest,
): Promise<Candidate> {
  const version = request.version ?? (request.back === true ? await versionBefore(db, active) : undefined)
  if (version !== undefined) {
    const found = await getVersion(db, version)
    if (found.source !== runtime.name) throw foreign(version, found.source)
    return compileCandidate(runtime, found.content as unknown as MappingContent, 'rollback')
  }
  const files = request.mapping !== undefined && request.replace === 'all' ? undefined : runtime.versions?.files()
  const base = files ?? (active.content as unknown as MappingContent)
  const content = {
    ...base,
    ...(request.mapping === undefined ? {} : { file: request.mapping.file, mapping: request.mapping.text }),
    ...(request.blueprints === undefined ? {} : { blueprints: blueprintsOf(base, request) }),
  }
  return compileCandidate(runtime, content)
}

async function versionBefore(db: Db, active: ActiveVersion): Promise<string> {
  const former = await formerVersion(db, active.sourceId, active.id)
  if (former !== undefined) return String(former)
  throw new CatchmentError(`${active.source} never had another version than ${active.id}.`, {
    code: 'version_unknown',
    status: 404,
    exitCode: 2,
    hint: 'List them with: catchment mapping versions',
  })
}

function foreign(version: string, source: string): CatchmentError {
  return new CatchmentError(`Version ${version} is one of ${source}.`, {
    code: 'version_unknown',
    status: 404,
    exitCode: 2,
    hint: 'List them with: catchment mapping versions --source NAME',
  })
}

function blueprintsOf(base: MappingContent, { blueprints = [], replace }: PlanRequest): readonly unknown[] {
  const parsed = blueprints.map(({ file, text }) => parseBlueprints(file, text))
  const errors = parsed.flatMap(({ diagnostics }) => diagnostics).filter(({ severity }) => severity === 'error')
  if (errors.length > 0) {
    throw new CatchmentError(describeProblems(errors), {
      code: 'mapping_invalid',
      status: 422,
      exitCode: 2,
      hint: 'Nothing was planned. Correct the file.',
      details: { problems: errors },
    })
  }
  const given = parsed.flatMap((each) => each.blueprints)
  if (replace === 'all') return given
  const names = new Set(given.map(({ identifier }) => identifier))
  // Written by us from parsed files.
  const rest = (base.blueprints as readonly Blueprint[]).filter(({ identifier }) => !names.has(identifier))
  return [...rest, ...given]
}
