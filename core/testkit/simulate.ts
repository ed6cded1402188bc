import { randomUUID } from 'node:crypto'
import { parseArgs } from 'node:util'
import { openDatabase } from '../catalog/postgres/connect.ts'
import { migrate } from '../catalog/postgres/migrate.ts'
import { createDatabase, dropDatabase, withDatabase } from './database.ts'
import { plants } from './plants.ts'
import { type FoundViolation, type Report, simulate, stepsPerMinute } from './simulation.ts'
import { startTemporary } from './temporary.ts'

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
  const report = await withServer((url) =>
    simulate({
      seed,
      steps: Math.ceil(minutes * stepsPerMinute),
      url,
      ...(values.plant === undefined ? {} : { plant: values.plant }),
    }),
  )
  if (!values.json) print(report)
  console.log(JSON.stringify(summary(report)))
  return report.violations.length === 0 ? 0 : 1
}

function summary({ rows: _, violations, ...report }: Report): unknown {
  return { ...report, violations: violations.map(({ story: _story, ...each }) => each) }
}

function print({ violations, rests, steps }: Report): void {
  for (const violation of violations) tell(violation)
  console.log(`${steps} steps, ${rests} times at rest, ${violations.length} violations`)
}

function tell({ invariant, text, seed, step, story }: FoundViolation): void {
  console.log(`\n${story.join('\n')}\n\n${invariant} is violated at step ${step} of seed ${seed}: ${text}\n`)
}

async function withServer<T>(work: (url: string) => Promise<T>): Promise<T> {
  const server = await startTemporary()
  const name = `simulation_${randomUUID().replaceAll('-', '')}`
  try {
    await createDatabase(server.url, name)
    const url = withDatabase(server.url, name)
    const db = await openDatabase(url)
    await migrate(db)
    await db.query(`ALTER DATABASE "${name}" SET deadlock_timeout = '1h'`)
    await db.close()
    return await work(url)
  } finally {
    await dropDatabase(server.url, name).catch(() => undefined)
    await server.stop()
  }
}

process.exitCode = await main()
