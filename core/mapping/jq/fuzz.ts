import { parseArgs } from 'node:util'
import fc from 'fast-check'
import { builtinNames } from './builtins/index.ts'
import { compareAnswers, ourAnswer } from './fuzz-compare.ts'
import { type FuzzCase, Generator } from './fuzz-generate.ts'
import { type Answer, Oracle } from './fuzz-oracle.ts'

export interface FuzzReport {
  readonly runs: number
  /** Runs jq gave no answer to. */
  readonly skipped: number
  /** Share of runs that gave no error, of those answered. */
  readonly withoutError: number
  /** Share of the builtins that some program named. */
  readonly builtins: number
  readonly unusedBuiltins: readonly string[]
  readonly differences: readonly { readonly test: FuzzCase; readonly ours: Answer; readonly theirs: Answer }[]
  /** Differences that are listed, by reason. */
  readonly known: Readonly<Record<string, number>>
}

export interface FuzzOptions {
  readonly seed: number
  readonly runs: number
  readonly seconds?: number
  /** What is held against jq; another one in tests of the fuzzing itself. */
  readonly answer?: (test: FuzzCase) => Answer
  readonly stopAtFirst?: boolean
}

/** Programs from a grammar, held against real jq: outputs, their order, and error messages. */
export async function fuzz(options: FuzzOptions): Promise<FuzzReport> {
  const { seed, runs, seconds = Number.POSITIVE_INFINITY, answer = ourAnswer, stopAtFirst = false } = options
  const oracle = new Oracle()
  const known: Record<string, number> = {}
  const differences: FuzzReport['differences'][number][] = []
  const named = new Set<string>()
  const end = Date.now() + seconds * 1000
  let done = 0
  let skipped = 0
  let clean = 0
  try {
    for (let batch = 0; done < runs && Date.now() < end; batch++) {
      for (const test of cases(seed + batch, Math.min(200, runs - done))) {
        if (Date.now() >= end) break
        done++
        for (const [name] of test.program.matchAll(/[A-Za-z_]\w*/g)) named.add(name)
        const theirs = await oracle.ask(test.program, test.input)
        if (theirs === null) {
          skipped++
          continue
        }
        if (theirs.error === null) clean++
        const ours = answer(test)
        const difference = compareAnswers(test, ours, theirs)
        if (difference === null) continue
        if (difference.known !== null) known[difference.known] = (known[difference.known] ?? 0) + 1
        else differences.push({ test, ours, theirs })
        if (difference.known === null && stopAtFirst) return report()
      }
    }
  } finally {
    oracle.close()
  }
  return report()

  function report(): FuzzReport {
    const unused = builtinNames.filter((name) => !named.has(name.split('/')[0] ?? ''))
    return {
      runs: done,
      skipped,
      withoutError: clean / Math.max(1, done - skipped),
      builtins: 1 - unused.length / builtinNames.length,
      unusedBuiltins: unused,
      differences,
      known,
    }
  }
}

function cases(seed: number, count: number): FuzzCase[] {
  const anything = fc.gen().map((g) => new Generator((below) => g(fc.nat, { max: below - 1 })).case())
  return fc.sample(anything, { seed, numRuns: count })
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      seed: { type: 'string' },
      runs: { type: 'string' },
      seconds: { type: 'string' },
      json: { type: 'boolean' },
    },
  })
  const seed = Number(values.seed ?? 1)
  const runs = values.runs === undefined ? Number.POSITIVE_INFINITY : Number(values.runs)
  const report = await fuzz({ seed, runs, seconds: Number(values.seconds ?? 60) })
  for (const { test, ours, theirs } of report.differences) {
    console.log(`${test.input}\n  ${test.program}\n  ours:   ${shown(ours)}\n  theirs: ${shown(theirs)}`)
  }
  const { differences, runs: done, skipped, builtins, withoutError, unusedBuiltins, known } = report
  if (values.json) console.log(JSON.stringify({ seed, ...report, differences: differences.length }))
  else {
    const share = (part: number): string => `${(part * 100).toFixed(1)} %`
    console.log(`seed ${seed}: ${done} programs, ${differences.length} differences`)
    console.log(`builtins named:      ${share(builtins)}; not ${unusedBuiltins.join(', ') || 'any'}`)
    console.log(`without an error:    ${share(withoutError)}`)
    console.log(`not answered by jq:  ${share(skipped / Math.max(1, done))}`)
    for (const [reason, times] of Object.entries(known)) console.log(`${times} times: ${reason}`)
  }
  process.exitCode = differences.length > 0 ? 1 : 0
}

function shown({ outputs, error }: Answer): string {
  return [...outputs, ...(error === null ? [] : [`error: ${error}`])].join('  ').slice(0, 500)
}

if (import.meta.main) await main()
