import { parseArgs } from 'node:util'
import { plants } from './plants.ts'
import { type FoundViolation, type Report, type SimulationOptions, simulate, stepsPerMinute } from './simulation.ts'
import { startSimulationServer } from './simulation-server.ts'

const usage = `simulate --seed N --minutes M [--plant NAME] [--json]
  --seed N       what happens follows from it alone: the same seed gives the same trace
  --minutes M    of simulated work, ${stepsPerMinute} granted steps each; may be a fraction
  --plant NAME   a defect to plant into the engine's ports; "list" names them
  --json         the last line alone, as one JSON object`

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      seed: { type: 'string', default: '1' },
      minutes: { type: 'string', default: '1' },
      plant: { type: 'string' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) {
    console.log(usage)
    return 0
  }
  if (values.plant === 'list') {
    for (const [name, { what }] of Object.entries(plants)) console.log(`${name.padEnd(24)}${what}`)
    return 0
  }
  const [seed, minutes] = [Number(values.seed), Number(values.minutes)]
  if (!Number.isSafeInteger(seed) || !(minutes > 0) || (values.plant !== undefined && !(values.plant in plants))) {
    console.error(usage)
    return 2
  }
  const plant = values.plant === undefined ? {} : { plant: values.plant }
  const report = await run({ seed, steps: Math.ceil(minutes * stepsPerMinute), ...plant })
  if (!values.json) print(report, values.plant)
  console.log(JSON.stringify(summary(report)))
  return report.violations.length === 0 ? 0 : 1
}

async function run(options: Omit<SimulationOptions, 'url'>): Promise<Report> {
  const server = await startSimulationServer()
  try {
    return await server.fresh((url) => simulate({ ...options, url }))
  } finally {
    await server.stop()
  }
}

function summary(report: Report): unknown {
  const { seed, trace, steps, scansComplete, scansIncomplete, deletions, held, deliveries, crashes, faults } = report
  const counted = { seed, trace, steps, scansComplete, scansIncomplete, deletions, held, deliveries, crashes, faults }
  return { ...counted, violations: report.violations.map(withoutStory) }
}

function withoutStory({ invariant, text, seed, step }: FoundViolation): Omit<FoundViolation, 'story'> {
  return { invariant, text, seed, step }
}

function print({ violations, rests, steps, earlyCalls, planted }: Report, plant: string | undefined): void {
  for (const violation of violations) tell(violation)
  if (plant !== undefined) console.log(`planted: ${planted}`)
  console.log(`${steps} steps, ${rests} times at rest, ${earlyCalls} early calls, ${violations.length} violations`)
}

function tell({ invariant, text, seed, step, story }: FoundViolation): void {
  console.log(`\n${story.join('\n')}\n\n${invariant} is violated at step ${step} of seed ${seed}: ${text}\n`)
}

process.exitCode = await main()
