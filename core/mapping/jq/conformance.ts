import { readFileSync } from 'node:fs'
import { basename, join, relative, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { type GoldenRun, runGoldens } from '../goldens.ts'
import { type FileReport, findSuites, runSuite } from './suites.ts'

/**
 * `npm run conformance -- [FILES or FOLDERS] [--json] [--refused]`: files in jq's test format, and mapping files with the
 * entities an independent jq made of them. The corpus is not part of this repository: without arguments it is expected
 * beside it, or where CATCHMENT_CORPUS says.
 */
const root = resolve(import.meta.dirname, '../../..')

interface Ratchet {
  /** Cases that passed, by file name; may only rise. */
  readonly suites: Readonly<Record<string, number>>
  readonly goldens: number
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { json: { type: 'boolean' }, refused: { type: 'boolean' } },
})

process.exitCode = main()

function main(): number {
  // oxlint-disable-next-line -- a tool for developers, not part of the pure mapping code
  const corpus = process.env['CATCHMENT_CORPUS'] ?? join(root, '../shared/corpus')
  const whole = positionals.length === 0
  const places = whole ? [join(corpus, 'jq'), join(corpus, 'mappings')] : positionals
  let files: string[]
  try {
    files = findSuites(places)
  } catch (error) {
    console.error(error instanceof Error ? error.message : error)
    return 1
  }
  const reports = new Map(files.map((file) => [file, runSuite(file)]))
  const goldens = runGoldens(places.filter((place) => !place.endsWith('.test')))
  if (values.json !== true) print(reports, goldens)
  const total = (key: 'passed' | 'failed' | 'refused') =>
    [...reports.values()].reduce((sum, report) => sum + report[key], 0)
  const broken = goldens.files.filter(({ errors }) => errors.length > 0)
  const summary = {
    passed: total('passed'),
    failed: total('failed'),
    refused: total('refused'),
    goldens: goldens.goldens,
    goldensFailed: goldens.failures.length,
    mappingFiles: goldens.files.length,
    mappingFilesFailed: broken.length,
    files: Object.fromEntries(
      [...reports].map(([file, { passed, failed, refused }]) => [shown(file), { passed, failed, refused }]),
    ),
  }
  console.log(JSON.stringify(summary))
  const slipped = whole ? underRatchet(reports, goldens) : []
  for (const line of slipped) console.error(line)
  return summary.failed + summary.goldensFailed + broken.length + slipped.length > 0 ? 1 : 0
}

function shown(file: string): string {
  const inside = relative(process.cwd(), file)
  return inside.startsWith('..') ? basename(file) : inside
}

function print(reports: ReadonlyMap<string, FileReport>, goldens: GoldenRun): void {
  console.log(`${'file'.padEnd(32)}passed  failed  refused`)
  for (const [file, report] of reports) {
    const counts = [report.passed, report.failed, report.refused].map((count) => String(count).padStart(6)).join('  ')
    console.log(`${shown(file).padEnd(32)}${counts}`)
    for (const { line, program, reason } of report.problems) console.log(`  line ${line}: ${program}\n    ${reason}`)
    if (values.refused !== true) continue
    for (const { line, program, reason } of report.refusals)
      console.log(`  refused, line ${line}: ${program}\n    ${reason}`)
  }
  if (goldens.files.length === 0) return
  console.log(
    `${goldens.files.length} mapping files, ${goldens.goldens} expected entities, ${goldens.failures.length} differ`,
  )
  for (const { file, line, message } of goldens.failures) console.log(`  ${shown(file)} line ${line}: ${message}`)
  for (const { file, errors } of goldens.files) for (const error of errors) console.log(`  ${shown(file)}:${error}`)
}

/** What has become worse than it was. */
function underRatchet(reports: ReadonlyMap<string, FileReport>, goldens: GoldenRun): string[] {
  // The file is ours.
  const ratchet = JSON.parse(readFileSync(join(import.meta.dirname, 'conformance.ratchet.json'), 'utf8')) as Ratchet
  const passed = new Map([...reports].map(([file, report]) => [basename(file), report.passed]))
  const lines = Object.entries(ratchet.suites)
    .filter(([name, least]) => (passed.get(name) ?? 0) < least)
    .map(([name, least]) => `${name}: ${passed.get(name) ?? 0} passed, at least ${least} did before`)
  const equal = goldens.goldens - goldens.failures.length
  return equal < ratchet.goldens ? [...lines, `${equal} expected entities equal, ${ratchet.goldens} did before`] : lines
}
