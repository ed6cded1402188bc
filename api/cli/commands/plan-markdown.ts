import type { PlanView } from '../../../core/plan/view.ts'
import { heading, notes, type Sample, short, signs } from './plan-text.ts'

/** For the comment of a review. */
export function planMarkdown(plans: readonly PlanView[]): string {
  const pending = plans.filter((plan) => plan.pending)
  if (pending.length === 0) return '**The catalog would stay as it is:** nothing is pending.'
  return pending.map(section).join('\n\n')
}

function section(plan: PlanView): string {
  const { source, blueprints = [], warnings = [], counts } = plan
  const rows = blueprints.map(
    (each) => `| ${each.blueprint} | ${each.creates} | ${each.changes} | ${each.renames} | ${each.withdrawals} |`,
  )
  const parts = [
    `## Catalog plan for ${source}`,
    heading(plan),
    counts === undefined || blueprints.length === 0
      ? '**No entity would be other than it is.**'
      : ['| blueprint | creates | changes | renames | withdrawals |', '|---|--:|--:|--:|--:|', ...rows].join('\n'),
    ...blueprints.flatMap(({ blueprint, fields, samples, creates, changes, renames, withdrawals }) => [
      ...(fields.length === 0
        ? []
        : [`**${blueprint}** by field: ${fields.map(({ field, count }) => `\`${field}\` ${count}`).join(', ')}`]),
      details(blueprint, samples, { create: creates, change: changes, rename: renames, withdrawal: withdrawals }),
    ]),
    ...notes(plan).map((note) => `> ${note.replaceAll('\n', '\n> ')}`),
    ...warnings.map((warning) => `> warning: ${warning}`),
    plan.state === 'planned' ? `Apply it with \`catchment apply ${plan.id}\`.` : `Plan ${plan.id} is ${plan.state}.`,
  ]
  return parts.filter((part) => part !== '').join('\n\n')
}

function details(
  blueprint: string,
  samples: readonly Sample[],
  total: Readonly<Record<keyof typeof signs, number>>,
): string {
  if (samples.length === 0) return ''
  const lines = samples.flatMap(({ operation, reference, diff = {} }) => [
    `${operation === 'create' || operation === 'withdrawal' ? signs[operation] : ' '} ${reference}`,
    ...Object.entries(diff).flatMap(([field, [before, after]]) => [
      ...(before === null ? [] : [`-     ${field}: ${short(before)}`]),
      ...(after === null ? [] : [`+     ${field}: ${short(after)}`]),
    ]),
  ])
  // A longer fence than any in the content.
  const fence = '`'.repeat(Math.max(3, ...lines.map((line) => (/`+/.exec(line)?.[0].length ?? 0) + 1)))
  const all = Object.values(total).reduce((sum, count) => sum + count, 0)
  const some = samples.length < all ? `${samples.length} of ${all.toLocaleString('en')}` : `all ${all}`
  return [
    `<details><summary>${blueprint}: ${some}</summary>`,
    '',
    `${fence}diff`,
    ...lines,
    fence,
    '',
    '</details>',
  ].join('\n')
}
