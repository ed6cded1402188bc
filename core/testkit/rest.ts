import { advance, crash, decideOne, deliverOne, replace, requestScans } from './chaos.ts'
import type { Simulation } from './simulation.ts'
import { hasBranches } from './thing.ts'

/** Granted steps until rest at most: a run that needs more never comes to rest. */
const patience = 12_000

/**
 * Without faults from here on: everything that is under way arrives, everything is listed completely once more, every hold
 * is answered. Then the catalog is compared with the truth.
 */
export async function comeToRest(simulation: Simulation, enough: () => boolean): Promise<void> {
  const { scheduler, faults, auditor, versions, random } = simulation
  faults.on = false
  scheduler.note('no more faults')
  await calm(simulation)
  await decided(simulation)
  await correct(simulation)
  if (!(await settle(simulation, enough))) return
  simulation.violate(await auditor.atRest(versions, scheduler.now))
  simulation.tally.rests += 1
  scheduler.remark('at rest')
  if (enough() || !random.chance(0.3)) return
  // The same once more: nothing has changed, so nothing may be written.
  const before = await auditor.rows()
  if (!(await settle(simulation, enough))) return
  const after = await auditor.rows()
  if (before !== after)
    simulation.violate([{ invariant: 'I12', text: `an unchanged scan wrote rows:\n${before}\n${after}` }])
}

/** One process is left, its clock is right, and the credentials see everything. */
async function calm(simulation: Simulation): Promise<void> {
  const { processes, states, scheduler } = simulation
  for (const process of processes.slice()) await crash(simulation, process)
  simulation.tally.crashes -= 1
  simulation.replacements.splice(0)
  for (const state of Object.values(states)) {
    if (state.blind.size > 0) state.epoch += 1
    state.blind.clear()
  }
  scheduler.note('one process starts')
  simulation.start()
}

/** What a person is about to decide was looked at before: what he rejects may be gone by now, which `correct` has to see. */
async function decided(simulation: Simulation): Promise<void> {
  while (simulation.deciding > 0) {
    await advance(simulation)
    await simulation.scheduler.quiet()
    await simulation.check()
  }
}

/** What a person or an object keeps apart from the truth for good is put right at the source. */
async function correct({ world, network, scheduler, database }: Simulation): Promise<void> {
  for (const thing of world.things.filter(({ partitions }) => partitions.size > 0)) {
    if (thing.weird === 'identifier' || thing.weird === 'selector') thing.weird = ''
    else if (!thing.aged) continue
    thing.aged = false
    network.send(world.touch(thing), scheduler.steps)
  }
  const { rows } = await database.plain.query<{ kind: never; key: string; partition: string }>(
    `SELECT k.name AS kind, r.key, p.name AS partition FROM held h JOIN kinds k ON k.id = h.kind_id JOIN records r ON r.id = h.record_id
     JOIN partitions p ON p.id = h.partition_id WHERE h.state = 'rejected' AND h.what = 'presence' ORDER BY h.id`,
  )
  for (const { kind, key, partition } of rows) {
    const thing = world.find(kind, key)
    if (thing === undefined || thing.partitions.has(partition)) continue
    world.put(thing, partition)
  }
  network.hurry()
}

const openSql = `
  SELECT (SELECT count(*) FROM inbox WHERE state = 'accepted') AS inbox,
    (SELECT count(*) FROM doubts) AS doubts,
    (SELECT count(*) FROM held WHERE state IN ('pending', 'approved')) AS held,
    (SELECT count(*) FROM change_batches WHERE base IS NULL) AS batches,
    (SELECT count(*) FROM scans WHERE ended_at IS NULL) AS scans,
    (SELECT count(*) FROM schedules WHERE requested) AS requested,
    (SELECT count(*) FROM records r JOIN kinds k ON k.id = r.kind_id JOIN sources s ON s.id = k.source_id
     WHERE r.state = 'live' AND r.mapping_id <> s.mapping_id) AS outdated,
    (SELECT count(*) FROM partitions p LEFT JOIN scans s ON s.id = p.complete_scan
     WHERE p.state <> 'dropped' AND (p.state <> 'known' OR s.begin_tick IS NULL OR s.begin_tick <= $1)) AS unscanned,
    $2 - (SELECT count(*) FROM partitions WHERE state <> 'dropped') AS unseen`

/** Grants until nothing is left to do. False: it never ends, or something was violated. */
async function settle(simulation: Simulation, enough: () => boolean): Promise<boolean> {
  const { scheduler, database, network } = simulation
  const { rows } = await database.plain.query<{ last: string }>('SELECT last_value AS last FROM tick')
  const frozen = rows[0]?.last ?? '0'
  const until = scheduler.steps + patience
  let open: string | undefined
  let idle = 100
  for (let round = 1; scheduler.steps < until; round++) {
    await scheduler.quiet()
    await simulation.check()
    if (enough()) return false
    await replace(simulation)
    scheduler.now += 2
    // A request may be answered by the rest of a scan that was open already: then it is made again.
    if (open !== undefined && / (unscanned|unseen)/u.test(open) && !/ (scans|requested)/u.test(open)) {
      open = undefined
      requestScans(simulation, 'alpha')
      requestScans(simulation, 'beta')
    }
    if (network.size > 0) deliverOne(simulation)
    if (round % 20 === 0) {
      await decideOne(simulation, 1, 0)
      open = await left(simulation, frozen)
      if (open === '' && network.size === 0) return true
    }
    // When nobody has anything to do for now, pauses may be long.
    if (await advance(simulation)) {
      scheduler.now += Math.floor(idle)
      idle = Math.min(idle * 1.5, 600_000)
    } else idle = Math.max(100, idle * 0.995)
  }
  simulation.violate([{ invariant: 'rest', text: `it does not come to rest: ${open} ${await stuck(simulation)}` }])
  return false
}

/** What is held or asked about, for the story. */
async function stuck({ database }: Simulation): Promise<string> {
  const { rows } = await database.plain.query<{ what: string }>(
    `SELECT k.name || ' ' || r.key || ' ' || h.what || ' is ' || h.state || ': ' || h.reason AS what
     FROM held h JOIN kinds k ON k.id = h.kind_id JOIN records r ON r.id = h.record_id WHERE h.state IN ('pending', 'approved')
     UNION ALL SELECT k.name || ' ' || d.key || ': ' || d.reason FROM doubts d JOIN kinds k ON k.id = d.kind_id`,
  )
  return rows.map(({ what }) => what).join('; ')
}

async function left({ database, world }: Simulation, frozen: string): Promise<string> {
  // Two of each kind, and one for each repository that has branches.
  const partitions = 10 + world.living('repo').filter((repo) => hasBranches(repo)).length
  const { rows } = await database.plain.query<Record<string, string>>(openSql, [frozen, partitions], {
    name: 'audit_rest',
  })
  return Object.entries(rows[0] ?? {})
    .filter(([, count]) => Number(count) !== 0)
    .map(([what, count]) => `${count} ${what}`)
    .join(', ')
}
