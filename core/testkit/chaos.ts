import { decideHeld } from '../catalog/query/held.ts'
import { DeliveryRefused } from '../sdk/index.ts'
import { Backlogged } from '../sync/index.ts'
import type { Parcel } from './network.ts'
import type { Process } from './process.ts'
import type { Simulation } from './simulation.ts'
import { type KindName, partitionNames } from './thing.ts'

/** One step of the run with faults: something happens to the world, to a process, or one effect is granted. */
export async function chaosStep(simulation: Simulation): Promise<void> {
  const { scheduler, random, faults, world, network, mix } = simulation
  await scheduler.quiet()
  await simulation.check()
  scheduler.now += random.below(8)
  await replace(simulation)
  if (random.chance(mix.happen)) {
    const { what, happenings } = world.happen()
    scheduler.note(what)
    network.send(happenings, scheduler.steps)
    return
  }
  if (random.chance(mix.deliver) && deliverOne(simulation)) return
  if (random.chance(0.006)) return await decideOne(simulation, 0.7)
  if (random.chance(0.01)) for (const { engine, started } of simulation.processes) if (started) engine.wake()
  if (random.chance(mix.scan)) return requestScans(simulation)
  const process = simulation.processes.length > 0 ? random.pick(simulation.processes) : undefined
  if (process !== undefined) {
    if (faults.happens('crash')) return await crash(simulation, process)
    if (process.started && !process.stopping && faults.happens('engine-stopped')) return stop(simulation, process)
    if (faults.happens('worker-paused')) return pauseProcess(simulation, process)
    if (faults.happens('clock-stepped')) {
      process.skew = (random.below(7200) - 3600) * 1000
      return scheduler.note(`the clock of ${process.owner.name} is off by ${process.skew / 1000} s`)
    }
  }
  if (simulation.processes.length < 2 && random.chance(0.004)) simulation.start()
  if (faults.happens('permission-lost')) return changePermission(simulation)
  if (faults.happens('mapping-changed')) return changeMapping(simulation)
  await advance(simulation)
}

/** Grants one effect; when nobody can go on, lets time pass. Answers whether it was time that passed. */
export async function advance(simulation: Simulation): Promise<boolean> {
  const { scheduler } = simulation
  if (await scheduler.grant()) {
    await scheduler.recheck()
    return false
  }
  if (scheduler.passTime()) return true
  scheduler.note('nobody can go on')
  endStandstill(simulation)
  await scheduler.recheck()
  return false
}

/** All are stopped or dead: steps in which nothing can happen find nothing, so the first of them goes on at once. */
function endStandstill({ scheduler, replacements, processes }: Simulation): void {
  const [next] = processes.toSorted((left, right) => left.owner.pausedUntil - right.owner.pausedUntil)
  if (replacements.length > 0) replacements[0] = scheduler.steps
  else if (next !== undefined) next.owner.pausedUntil = scheduler.steps
}

/** Those that ended are replaced after a while. */
export async function replace(simulation: Simulation): Promise<void> {
  const { scheduler, processes, replacements } = simulation
  for (const process of processes.filter(({ failed }) => failed)) await crash(simulation, process)
  const due = replacements.findIndex((step) => step <= scheduler.steps)
  if (due < 0) return
  replacements.splice(due, 1)
  if (processes.length < 2) simulation.start()
}

export async function crash(simulation: Simulation, process: Process): Promise<void> {
  const { scheduler, database, processes, tally, auditor, random } = simulation
  scheduler.note(`${process.owner.name} is killed`)
  tally.crashes += 1
  processes.splice(processes.indexOf(process), 1)
  await scheduler.kill(process.owner, (effect) => database.cancel(effect))
  simulation.violate(await auditor.inbox(scheduler.now))
  simulation.replacements.push(scheduler.steps + random.below(60))
}

export function stop(simulation: Simulation, process: Process): void {
  const { scheduler, random } = simulation
  scheduler.note(`${process.owner.name} is asked to stop`)
  process.stopping = true
  const ended = (): void => {
    const at = simulation.processes.indexOf(process)
    if (at < 0) return
    simulation.processes.splice(at, 1)
    process.owner.dead = true
    scheduler.remark(`${process.owner.name} has stopped`)
    simulation.replacements.push(scheduler.steps + random.below(60))
  }
  process.engine.stop().then(ended, (error: unknown) => {
    simulation.violate([{ invariant: 'stop', text: `${process.owner.name} did not stop: ${String(error)}` }])
    ended()
  })
}

function pauseProcess(simulation: Simulation, process: Process): void {
  const { scheduler, random, processes } = simulation
  scheduler.note(`${process.owner.name} is paused`)
  process.owner.pausedUntil = scheduler.steps + 150 + random.below(400)
  // Long enough for its lease to run out.
  scheduler.now += 12_000
  if (processes.length < 2) simulation.start()
}

function changePermission({ scheduler, random, states }: Simulation): void {
  const state = states[random.pick(['alpha', 'beta'] as const)]
  const partition = random.pick(partitionNames)
  if (!state.blind.delete(partition)) state.blind.add(partition)
  state.epoch += 1
  scheduler.note(`the credential of ${state.name} sees all but ${[...state.blind].join() || 'nothing'}`)
}

function changeMapping(simulation: Simulation): void {
  const { scheduler, random, versions, processes } = simulation
  const source = random.pick(['alpha', 'beta'] as const)
  versions[source] = versions[source] === 'v1' ? 'v2' : 'v1'
  scheduler.note(`the mapping of ${source} is ${versions[source]}`)
  const running = processes.find(({ started, stopping }) => started && !stopping)
  if (running !== undefined) stop(simulation, running)
}

export function requestScans({ scheduler, random, processes }: Simulation, source?: 'alpha' | 'beta'): void {
  const able = processes.filter(({ started, stopping }) => started && !stopping)
  if (able.length === 0) return
  const { engine } = random.pick(able)
  const name = source ?? random.pick(['alpha', 'beta'] as const)
  scheduler.note(`a scan of ${name} is asked for`)
  engine.requestScan(name, '').catch(() => undefined)
}

/** A parcel arrives at a process. */
export function deliverOne(simulation: Simulation): boolean {
  const { scheduler, network, processes, random } = simulation
  const able = processes.filter(({ started, stopping }) => started && !stopping)
  if (able.length === 0) return false
  const parcel = network.take(scheduler.steps)
  if (parcel === undefined) return false
  const process = random.pick(able)
  scheduler.note(`${parcel.id} arrives at ${process.owner.name}`)
  void receive(simulation, process, parcel)
  return true
}

async function receive(simulation: Simulation, { engine }: Process, parcel: Parcel): Promise<void> {
  const { auditor, faults, scheduler } = simulation
  const { source, id, raw, forged } = parcel
  try {
    const answer = await engine.deliver(source, raw)
    if (forged) simulation.violate([{ invariant: 'I6', text: `${id} is forged and was accepted` }])
    auditor.acknowledge(source, answer.id, scheduler.now)
  } catch (error) {
    if (error instanceof Backlogged) faults.count('backlog-full')
    else if (error instanceof DeliveryRefused && !forged) {
      simulation.violate([{ invariant: 'I6', text: `${id} was refused: ${error.message}` }])
    }
    // Otherwise the sender hears of a failure, and does not try again.
  }
}

interface Held {
  readonly id: string
  readonly record_id: string
  readonly kind: KindName
  readonly key: string
  readonly partition: string | null
  readonly what: string
}

/** A person looks at one thing that is held, and decides rightly if at all. */
export async function decideOne(simulation: Simulation, eagerness: number, doubtful = 0.3): Promise<void> {
  const { database, random, scheduler, person, world, auditor } = simulation
  const { rows } = await database.plain.query<Held>(
    `SELECT h.id, h.record_id, k.name AS kind, r.key, p.name AS partition, h.what FROM held h JOIN kinds k ON k.id = h.kind_id
     JOIN records r ON r.id = h.record_id LEFT JOIN partitions p ON p.id = h.partition_id WHERE h.state = 'pending' ORDER BY h.id`,
  )
  const held = rows.length === 0 ? undefined : random.pick(rows)
  if (held === undefined || !random.chance(eagerness)) return
  const { id, kind, key, partition, what } = held
  const there = partition !== null && world.find(kind, key)?.partitions.has(partition) === true
  // What is there and yet held will be seen again; sometimes a person says so first.
  if (what === 'presence' && there && !random.chance(doubtful)) return
  const decision = what === 'presence' && there ? 'rejected' : 'approved'
  scheduler.note(`a person decides: ${what} of ${key} is ${decision}`)
  if (decision === 'approved' && partition !== null) auditor.watch.approved.add(`${held.record_id} ${partition}`)
  simulation.deciding += 1
  decideHeld(database.of(person), id, decision, 'person')
    .then(
      () => {
        for (const { engine, started } of simulation.processes) if (started) engine.wake()
      },
      () => undefined,
    )
    .finally(() => void (simulation.deciding -= 1))
}
