import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { parseSuite, runCase } from './suite.ts'

/** What came out of one file in jq's test format. */
export interface FileReport {
  readonly passed: number
  readonly failed: number
  readonly refused: number
  readonly problems: readonly { readonly line: number; readonly program: string; readonly reason: string }[]
  readonly refusals: readonly { readonly line: number; readonly program: string; readonly reason: string }[]
}

/** The `*.test` files among these files and folders. Throws when one of them is missing. */
export function findSuites(places: readonly string[]): string[] {
  return places.flatMap((place) => {
    if (!existsSync(place)) throw new Error(`${place} is missing; CATCHMENT_CORPUS or an argument names another place`)
    if (!statSync(place).isDirectory()) return place.endsWith('.test') ? [place] : []
    return readdirSync(place, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.test'))
      .sort()
      .map((name) => join(place, name))
  })
}

export function runSuite(file: string): FileReport {
  const problems: { line: number; program: string; reason: string }[] = []
  const refusals: typeof problems = []
  let passed = 0
  for (const test of parseSuite(readFileSync(file, 'utf8'))) {
    const outcome = runCase(test)
    if (outcome.state === 'passed') passed++
    else {
      const list = outcome.state === 'refused' ? refusals : problems
      list.push({ line: test.line, program: test.program, reason: outcome.reason })
    }
  }
  return { passed, failed: problems.length, refused: refusals.length, problems, refusals }
}
