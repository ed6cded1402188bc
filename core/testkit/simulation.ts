import type { EngineEvent, Row, TableName } from '../sync/index.ts'
import { Auditor, type Violation } from './auditor.ts'
import { breaking } from './breaking.ts'
import { chaosStep } from './chaos.ts'
import { createFaults, type Faults } from './faults.ts'
import { GatedDatabase } from './gated-db.ts'
import { defaultMix, type Mix } from './mix.ts'
import { Network } from './network.ts'
import { plants } from './plants.ts'
import { guardRule, type Process, type Surroundings, startProcess } from './process.ts'
import { createRandom, type Random } from './random.ts'
import { comeToRest } from './rest.ts'
import { type Owner, Scheduler } from './scheduler.ts'
import type { SourceState } from './simulated-state.ts'
import { type KindName, kindsOf, type SourceName } from './thing.ts'
import { World } from './world.ts'

/** Granted steps that stand for a minute: about what two cores do in one. */
export const stepsPerMinute = 24_000

export interface SimulationOptions {
  readonly seed: number
  readonly steps: number
  /** Of an empty, migrated database. */
  readonly url: string
  readonly plant?: string
  /** Default: that of the plant, without one `defaultMix`. */
  readonly mix?: Mix
  /** Steps that a violation's story tells. Default 120. */
  readonly story?: number
  /** Ends at the first violation. Default true. */
  readonly stopAtFirst?: boolean
}

export interface Report {
  readonly seed: number
  readonly trace: string
  readonly steps: number
  readonly scansComplete: number
  readonly scansIncomplete: number
  readonly deletions: number
  readonly held: number
  readonly deliveries: number
  readonly crashes: number
  readonly faults: Readonly<Record<string, number>>
  readonly violations: readonly FoundViolation[]
  /** How often everything came to rest and was compared with the truth. */
  readonly rests: number
  /** Calls that went out before the end of a pause that the source had asked for. */
  readonly earlyCalls: number
  /** Rows of the state tables that were taken, as `table from -event-> to`. */
  readonly rows: ReadonlySet<string>
  /** How often the plant changed what the engine got or did. */
  readonly planted: number
}

export interface FoundViolation extends Violation {
  readonly seed: number
  readonly step: number
  /** The last steps before it, oldest first. */
  readonly story: readonly string[]
}

/** Everything that one run consists of; the actions on it are in chaos.ts and rest.ts. */
export interface Simulation {
  readonly mix: Mix
  readonly random: Random
  readonly scheduler: Scheduler
  readonly faults: Faults
  readonly world: World
  readonly network: Network
  readonly auditor: Auditor
  readonly database: GatedDatabase
  readonly states: Readonly<Record<SourceName, SourceState>>
  readonly versions: Record<SourceName, 'v1' | 'v2'>
  /** Living processes. */
  readonly processes: Process[]
  /** The one whose statements are a person's. */
  readonly person: Owner
  /** Decisions of the person that are under way. */
  deciding: number
  readonly tally: Tally
  /** Steps at which a killed or stopped process is replaced. */
  readonly replacements: number[]
  start(): void
  violate(found: readonly Violation[]): void
  /** Runs what has to be looked at between two steps. */
  check(): Promise<void>
}

export interface Tally {
  scansComplete: number
  scansIncomplete: number
  held: number
  deliveries: number
  crashes: number
  rests: number
  earlyCalls: number
}

export async function simulate(options: SimulationOptions): Promise<Report> {
  const { seed, steps, url } = options
  const chosen = options.plant === undefined ? undefined : plants[options.plant]
  if (options.plant !== undefined && chosen === undefined) throw new Error(`There is no plant "${options.plant}".`)
  let planted = 0
  const plant = chosen?.plant(() => void (planted += 1))
  const mix = options.mix ?? chosen?.mix ?? defaultMix
  const random = createRandom(seed)
  const scheduler = new Scheduler(random.fork(), Date.UTC(2026, 0, 1, 12))
  const faults = createFaults(random.fork(), mix)
  const world = new World(random.fork(), mix)
  const found: FoundViolation[] = []
  const rows = new Set<string>()
  const limits = new Map<KindName, number>()
  const breaks = breaking(
    faults,
    () => auditor.watch.look(),
    (violations) => violate(violations),
  )
  const own = random.fork()
  const database = await GatedDatabase.open({
    url,
    scheduler,
    random: () => own.next(),
    before: breaks.before,
    after: breaks.after,
    ...(plant?.statement === undefined ? {} : { rewrite: plant.statement.bind(plant) }),
  })
  breaks.use(database.plain)
  const auditor = new Auditor(database.plain, world)

  const violate = (violations: readonly Violation[]): void => {
    for (const violation of violations) {
      scheduler.remark(`VIOLATION ${violation.invariant}: ${violation.text}`)
      found.push({ ...violation, seed, step: scheduler.steps, story: scheduler.story(options.story ?? 120) })
    }
  }
  const state = (name: SourceName): SourceState => ({
    name,
    world,
    random: random.fork(),
    faults,
    blind: new Set(),
    epoch: 0,
    now: () => scheduler.now,
    stored: (kind, partition) => auditor.watch.stored(kind, partition),
    believable: (kind) =>
      Math.max(
        guardRule.minimum,
        Math.floor(guardRule.share * Math.max(limits.get(kind) ?? 0, world.most.get(kind) ?? 0)),
      ),
  })
  const states = { alpha: state('alpha'), beta: state('beta') }
  const tally: Tally = {
    scansComplete: 0,
    scansIncomplete: 0,
    held: 0,
    deliveries: 0,
    crashes: 0,
    rests: 0,
    earlyCalls: 0,
  }
  const looks: (() => Promise<void>)[] = []
  const processes: Process[] = []
  const holders = new Map<string, Owner>()
  let born = 0

  const onEvent = (process: Process, event: EngineEvent): void => {
    if (event.type === 'scan') {
      scheduler.remark(
        `${process.owner.name} scan ${event.scan} of ${event.kind} in ${event.partition}: ${event.state} ${event.reason ?? ''}`,
      )
      if (event.state === 'complete' || event.state === 'held') tally.scansComplete += 1
      if (event.state === 'incomplete') tally.scansIncomplete += 1
      if (event.state === 'incomplete' && event.reason === '404') {
        looks.push(() => saidUnknown(event.kind, event.partition))
      }
    } else if (event.type === 'held') {
      tally.held += event.count
      scheduler.remark(`${process.owner.name} holds ${event.count} of ${event.kind}: ${event.reason}`)
    } else if (event.type === 'delivery' && event.outcome === 'accepted') tally.deliveries += 1
  }
  const saidUnknown = async (kind: string, partition: string): Promise<void> => {
    const { rows: partitions } = await database.plain.query<{ state: string }>(
      'SELECT p.state FROM partitions p JOIN kinds k ON k.id = p.kind_id WHERE k.name = $1 AND p.name = $2',
      [kind, partition],
    )
    if (partitions[0]?.state === 'unknown') return
    violate([
      { invariant: 'I10', text: `${kind} in ${partition} answered 404 and is said to be ${partitions[0]?.state}` },
    ])
  }
  const surroundings: Surroundings = {
    scheduler,
    database,
    random,
    states,
    versions: { alpha: 'v1', beta: 'v1' },
    plant,
    onEvent,
    onTransition: (table: TableName, { from, event, to }: Row) => rows.add(`${table} ${from} -${event}-> ${to}`),
    onLease(source, owner) {
      const before = holders.get(source)
      if (owner === undefined) holders.delete(source)
      else {
        if (before !== undefined && before !== owner && !before.dead) faults.count('lease-taken-over')
        holders.set(source, owner)
        scheduler.remark(`${owner.name} has the lease ${source}`)
      }
    },
    onEarlyCall(text) {
      tally.earlyCalls += 1
      scheduler.remark(text)
    },
    onLog: (process, text) => scheduler.remark(`${process.owner.name} ${text}`),
  }
  const simulation: Simulation = {
    mix,
    random,
    scheduler,
    faults,
    world,
    network: new Network(random.fork(), faults, mix),
    auditor,
    database,
    states,
    versions: surroundings.versions,
    processes,
    person: { name: 'person', dead: false, pausedUntil: 0 },
    deciding: 0,
    tally,
    replacements: [],
    start() {
      const process = startProcess(`e${++born}`, surroundings)
      processes.push(process)
      scheduler.remark(
        `${process.owner.name} starts with alpha ${surroundings.versions.alpha}, beta ${surroundings.versions.beta}`,
      )
      process.engine.start().then(
        () => (process.started = true),
        () => (process.failed = true),
      )
    },
    violate,
    async check() {
      for (const look of looks.splice(0)) await look()
      breaks.limits(limits)
    },
  }

  for (const source of ['alpha', 'beta'] as const) {
    for (const kind of kindsOf[source]) for (let count = 0; count < 7; count++) world.create(source, kind)
  }
  const enough = (): boolean => scheduler.steps >= steps || (found.length > 0 && options.stopAtFirst !== false)
  try {
    simulation.start()
    while (!enough()) {
      faults.on = true
      const until = scheduler.steps + mix.stretch[0] + random.below(mix.stretch[1])
      while (scheduler.steps < until && !enough()) await chaosStep(simulation)
      if (found.length > 0 && options.stopAtFirst !== false) break
      await comeToRest(simulation, () => found.length > 0 && options.stopAtFirst !== false)
      scheduler.now += random.chance(0.5) ? random.below(30 * 3_600_000) : 0
    }
  } finally {
    for (const process of processes) await scheduler.kill(process.owner, (effect) => database.cancel(effect))
    await scheduler.kill(simulation.person, (effect) => database.cancel(effect))
    await database.close()
  }
  const { scansComplete, scansIncomplete, held, deliveries, crashes, rests, earlyCalls } = tally
  return {
    seed,
    trace: scheduler.trace(),
    steps: scheduler.steps,
    scansComplete,
    scansIncomplete,
    deletions: auditor.watch.removed,
    held,
    deliveries,
    crashes,
    faults: faults.counts,
    violations: found,
    rests,
    earlyCalls,
    rows,
    planted,
  }
}
