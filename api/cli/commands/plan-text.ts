import type { PlanView } from '../../../core/plan/view.ts'
import { table } from '../table.ts'

type Blueprint = NonNullable<PlanView['blueprints']>[number]
export type Sample = Blueprint['samples'][number]

export const signs = { create: '+', change: '~', rename: '>', withdrawal: '-' } as const

/** For a terminal. */
export function planText(plans: readonly PlanView[]): string {
  const pending = plans.filter((plan) => plan.pending)
  if (plans.length === 0) return 'No source has been configured.'
  if (pending.length === 0) return `Nothing is pending: ${plans.map(({ source }) => source).join(', ')}.`
  return pending.map((plan) => lines(plan).join('\n')).join('\n\n')
}

function lines(plan: PlanView): readonly string[] {
  const { blueprints = [], warnings = [] } = plan
  return [
    heading(plan),
    '',
    table(
      ['blueprint', 'creates', 'changes', 'renames', 'withdrawals'],
      blueprints.map((each) => [
        each.blueprint,
        ...[each.creates, each.changes, each.renames, each.withdrawals].map((count) => count.toLocaleString('en')),
      ]),
      'No entity would be other than it is.',
    ),
    ...blueprints.flatMap(blueprintLines),
    ...notes(plan).flatMap((note) => ['', note]),
    ...(warnings.length === 0 ? [] : ['', ...warnings.map((warning) => `warning: ${warning}`)]),
    '',
    plan.state === 'planned' ? `Apply it with: catchment apply ${plan.id}` : `Plan ${plan.id} is ${plan.state}.`,
  ]
}

export function heading({ id, source, how, base, differs = [], file = '', records = 0 }: PlanView): string {
  const what = how === 'rollback' ? 'going back' : `${file} (${differs.join(', ')} changed)`
  return `Plan ${id} for ${source}: ${what}, against version ${base}; ${records.toLocaleString('en')} records mapped anew, no source was asked.`
}

function blueprintLines({ blueprint, fields, samples, ...counts }: Blueprint): readonly string[] {
  const shown = { create: 0, change: 0, rename: 0, withdrawal: 0 }
  for (const { operation } of samples) shown[operation] += 1
  const total = {
    create: counts.creates,
    change: counts.changes,
    rename: counts.renames,
    withdrawal: counts.withdrawals,
  }
  const more = (Object.keys(signs) as (keyof typeof signs)[]).flatMap((operation) =>
    total[operation] > shown[operation]
      ? [`  ${signs[operation]} and ${total[operation] - shown[operation]} more`]
      : [],
  )
  return [
    '',
    `${blueprint}${fields.length === 0 ? '' : `: ${fields.map(({ field, count }) => `${field} (${count})`).join(', ')}`}`,
    ...samples.flatMap(sampleLines),
    ...more,
  ]
}

function sampleLines({ operation, reference, title, diff = {} }: Sample): readonly string[] {
  const name = title === null ? reference : `${reference}  ${title}`
  return [
    `  ${signs[operation]} ${name}`,
    ...Object.entries(diff).map(([field, pair]) => `      ${field}: ${arrow(pair)}`),
  ]
}

function arrow([before, after]: readonly unknown[]): string {
  return `${short(before)} -> ${short(after)}`
}

export function short(value: unknown): string {
  const text = JSON.stringify(value ?? null)
  return text.length > 100 ? `${text.slice(0, 97)}...` : text
}

/** What a reader must not miss, one line or block each. */
export function notes({ failures, quarantines, held, scans = [] }: PlanView): readonly string[] {
  const marks = (what: string, of: PlanView['failures']): readonly string[] =>
    of === undefined || of.added + of.fixed === 0
      ? []
      : [
          `${of.added} ${what}, ${of.fixed} that fail now would not any more.${of.samples
            .map(({ reference, problem: { field, message, file, line } }) => {
              const place = file === undefined ? '' : ` (${file}${line === undefined ? '' : `:${line}`})`
              return `\n  ${reference} ${field}: ${message}${place}`
            })
            .join('')}`,
        ]
  return [
    ...marks('fields would fail and keep their last good value', failures),
    ...marks('mappings of a record would fail and withdraw nothing', quarantines),
    ...(held === undefined || held.count === 0
      ? []
      : [
          [
            `The guard would hold ${held.count} more of what would go, until a person decides: catchment held`,
            ...[...Map.groupBy(held.samples, ({ reason }) => reason)].flatMap(([reason, samples]) => [
              `  ${reason}`,
              ...samples.map(({ what, entities, key }) => `    ${entities.join(', ') || key}  ${what}`),
            ]),
            ...(held.count > held.samples.length ? [`    and ${held.count - held.samples.length} more`] : []),
          ].join('\n'),
        ]),
    ...scans.map(
      ({ kind, reason }) =>
        `A scan of ${kind} is needed, and asked for when this is applied: ${reason}. What it finds is not in this plan.`,
    ),
  ]
}
