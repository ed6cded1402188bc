import { parseArgs } from 'node:util'

export interface BenchOptions {
  /** Items. */
  readonly n: number
  /** How long a timed part may last, for benches that run by time. */
  readonly seconds: number
}

export interface Measured {
  readonly value: number
  readonly unit: string
  readonly baseline: { readonly name: string; readonly value: number; readonly unit: string }
  /** Where smaller values are better: baseline / value. */
  readonly ratio?: number
  /** What else the bench has to say. */
  readonly [more: string]: unknown
}

/** One measured thing against what it is held beside. */
export interface BenchResult extends Measured {
  readonly bench: string
  readonly n: number
  /** value / baseline, so that bigger is better. */
  readonly ratio: number
  /** Greatest resident set of this process; the database server is not in it. */
  readonly rssMb: number
}

export interface Bench {
  readonly title: string
  readonly defaults: BenchOptions
  /** `say` is for progress. */
  run(options: BenchOptions, say: (line: string) => void): Promise<Measured>
}

const rounds = 3

/** Runs both once to warm up, then in turns, so that a busy moment of the machine meets both. Answers the medians. */
export async function interleave<Name extends string>(
  parts: Readonly<Record<Name, () => Promise<number>>>,
  say: (line: string) => void,
): Promise<Readonly<Record<Name, number>>> {
  const taken = new Map<string, number[]>(Object.keys(parts).map((name) => [name, []]))
  for (let round = 0; round <= rounds; round++) {
    for (const [name, part] of Object.entries<() => Promise<number>>(parts)) {
      const value = await part()
      const shown = value < 100 ? Math.round(value * 1000) / 1000 : Math.round(value)
      say(`${round === 0 ? 'warm-up' : `round ${round}`}  ${name}  ${shown.toLocaleString('en')}`)
      if (round > 0) taken.get(name)?.push(value)
    }
  }
  // Of the same names.
  return Object.fromEntries([...taken].map(([name, values]) => [name, median(values)])) as Record<Name, number>
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
}

export async function runBench(benches: Readonly<Record<string, Bench>>, args: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { n: { type: 'string' }, seconds: { type: 'string' }, json: { type: 'boolean', default: false } },
  })
  const [name] = positionals
  const bench = name === undefined ? undefined : benches[name]
  if (name === undefined || bench === undefined) {
    console.error('Usage: npm run -s bench -- NAME [--n N] [--seconds S] [--json]\n')
    for (const [each, { title }] of Object.entries(benches)) console.error(`  ${each.padEnd(10)} ${title}`)
    return 2
  }
  const options = {
    n: number(values.n, bench.defaults.n),
    seconds: number(values.seconds, bench.defaults.seconds),
  }
  const measured = await bench.run(options, (line) => console.error(line))
  const result: BenchResult = {
    bench: name,
    n: options.n,
    ...measured,
    ratio: measured.ratio ?? round(measured.value / measured.baseline.value),
    rssMb: Math.round(process.resourceUsage().maxRSS / 1024),
  }
  if (!values.json) console.table(Object.fromEntries(Object.entries(result).map(([key, each]) => [key, show(each)])))
  else console.log(JSON.stringify(result))
  return 0
}

export function round(value: number): number {
  return Math.round(value * 1000) / 1000
}

function number(text: string | undefined, fallback: number): number {
  const value = Number(text ?? fallback)
  if (!Number.isFinite(value) || value < 0) throw new Error(`${text} is not a number of items or seconds`)
  return value
}

function show(value: unknown): unknown {
  if (typeof value === 'number') return value.toLocaleString('en')
  return typeof value === 'object' ? JSON.stringify(value) : value
}
