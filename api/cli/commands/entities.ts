import type { EntityFreshness } from '../../../core/catalog/query/entity-freshness.ts'
import type { Explanation } from '../../../core/catalog/query/explanation.ts'
import type { MomentView } from '../../../core/catalog/query/moment.ts'
import type { Pin } from '../../../core/catalog/query/pinned.ts'
import type { EntityView } from '../../../core/catalog/query/view.ts'
import { parseReference } from '../../../core/model/entity.ts'
import { CatchmentError } from '../../../core/sdk/index.ts'
import type { Client } from '../client.ts'
import { duration, print, printJson } from '../output.ts'
import { table, terminalWidth } from '../table.ts'

function split(text: string): { blueprint: string; identifier: string } {
  const found = parseReference(text)
  if (found !== undefined) return found
  throw new CatchmentError(`${JSON.stringify(text)} is not a reference.`, {
    code: 'reference_malformed',
    hint: `Write blueprint:identifier, for example service:acme/checkout. By a word: catchment search ${text}`,
    exitCode: 2,
  })
}

/** A value on one line. */
export function show(value: unknown): string {
  if (value === null || value === undefined) return '-'
  if (typeof value === 'string') return value
  if (Array.isArray(value) && value.every((item) => typeof item === 'string')) return value.join(', ') || '-'
  return JSON.stringify(value)
}

/** Its route, of a reference as people write it. */
export function entityPath(text: string): string {
  const { blueprint, identifier } = split(text)
  return `/api/v1/entities/${encodeURIComponent(blueprint)}/${encodeURIComponent(identifier)}`
}

export async function get(
  client: Client,
  text: string,
  options: { readonly json: boolean; readonly asOf?: string },
): Promise<number> {
  const then = options.asOf === undefined ? '' : `?${new URLSearchParams({ asOf: options.asOf }).toString()}`
  // The shape is the server's own, of the same version.
  const entity = (await client.get(`${entityPath(text)}${then}`)) as EntityView &
    Partial<EntityFreshness> & { readonly asOf?: MomentView; readonly pinned?: Pin }
  if (options.json) {
    printJson(entity)
    return 0
  }
  print(`${entity.reference}${entity.title === null || entity.title === entity.identifier ? '' : `  ${entity.title}`}`)
  if (entity.stub === true) print('  a stub: relations lead to it, and no source has it')
  const rows = [
    ...(entity.team.length > 0 ? [['team', show(entity.team)]] : []),
    ...Object.entries(entity.properties).map(([name, value]) => [name, show(value)]),
    ...Object.entries(entity.relations).map(([name, value]) => [`${name} ->`, show(value)]),
  ]
  for (const [name, value] of rows)
    print(`  ${name?.padEnd(Math.max(...rows.map((row) => row[0]?.length ?? 0)))}  ${value}`)
  for (const problem of entity.failed) print(`  ! ${problem.field} keeps its last good value: ${problem.message}`)
  if (entity.pinned !== undefined)
    print(
      `  ! pinned by ${entity.pinned.who} at ${entity.pinned.at}${entity.pinned.reason === null ? '' : `: ${entity.pinned.reason}`}`,
    )
  print(`  revision ${entity.revision}, updated ${entity.updatedAt}`)
  if (entity.asOf !== undefined) print(`  as of ${entity.asOf.at ?? 'the beginning'} (${entity.asOf.position})`)
  else print(`  ${trust(entity)}`)
  return 0
}

/** "fresh: last confirmed 40 s ago", or why nobody can tell. */
function trust(entity: Partial<EntityFreshness>): string {
  const { freshness = 'unknown', confirmedAt = null, freshnessReason } = entity
  const when =
    confirmedAt === null ? '' : `, last listed completely ${duration(Date.now() - Date.parse(confirmedAt))} ago`
  return `${freshness}${when}${freshnessReason === undefined ? '' : `. ${freshnessReason}`}`
}

export async function explain(client: Client, text: string, options: { readonly json: boolean }): Promise<number> {
  // The shape is the server's own, of the same version.
  const answer = (await client.get(
    `/api/v1/explain?${new URLSearchParams({ reference: text }).toString()}`,
  )) as Explanation
  if (options.json) {
    printJson(answer)
    return 0
  }
  print(`${answer.reference}: ${answer.state.replace('_', ' ')}`)
  print(`  ${answer.summary}`)
  for (const note of answer.notes) print(`  ${note}`)
  const whole = terminalWidth()
  const inner = whole === undefined ? undefined : whole - 2
  if (answer.fields.length > 0)
    print(
      table(
        ['field', 'from', 'expression', 'place', 'confirmed by', 'is'],
        answer.fields.map((one) => [
          one.field,
          `${one.source}/${one.kind}/${one.key}`,
          one.expression ?? '',
          one.file === undefined ? one.mapping : `${one.file}${one.line === undefined ? '' : `:${one.line}`}`,
          one.confirmedBy,
          one.freshness,
        ]),
        '',
        inner,
      ).replace(/^/gm, '  '),
    )
  for (const part of answer.contributions) {
    print(`  from ${part.source} ${part.kind} ${part.key} by mapping ${part.mapping}${part.owning ? '' : ' (weak)'}`)
    for (const partition of part.partitions)
      print(
        `    in ${partition.name}: ${partition.state}${partition.scannedAt === null ? '' : `, last complete scan ${partition.scannedAt}`}`,
      )
    for (const problem of part.problems) print(`    ! ${problem.field}: ${problem.message}`)
  }
  for (const record of answer.records) {
    print(`  record ${record.source}/${record.kind}/${record.key} (${record.state})`)
    for (const mapping of record.mappings)
      print(
        `    ${mapping.mapping}: ${mapping.outcome}${mapping.expression === undefined ? '' : `, selector ${mapping.expression}`}${mapping.problem === undefined ? '' : `: ${mapping.problem.message}`}`,
      )
  }
  for (const hold of answer.held) print(`  held ${hold.id}: ${hold.what}: ${hold.reason}`)
  for (const next of answer.next) print(`  Next: ${next}`)
  if (answer.candidates.length > 0) print(`  Did you mean: ${answer.candidates.join(', ')}`)
  return 0
}
