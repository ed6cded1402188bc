import { createInterface } from 'node:readline/promises'
import { setTimeout as pause } from 'node:timers/promises'
import type { PlanView } from '../../../core/plan/view.ts'
import { CatchmentError } from '../../../core/sdk/index.ts'
import type { Client } from '../client.ts'
import { print, printJson } from '../output.ts'
import type { ApplyFlags } from '../planning.ts'
import { usage } from '../run.ts'
import { chosenSources, makePlan } from './plan.ts'
import { planText } from './plan-text.ts'

/** A plan that was looked at, or everything that is pending after a look. Exit status 3 when something is held. */
export async function apply(client: Client, id: string | undefined, options: ApplyFlags): Promise<number> {
  if (id !== undefined) {
    if (!/^\d{1,18}$/.test(id))
      throw usage(`A plan has a number, not ${JSON.stringify(id)}.`, 'Make one: catchment plan')
    return carryOut(client, [(await client.get(`/api/v1/plans/${id}`)) as PlanView], options)
  }
  const plans: PlanView[] = []
  for (const source of await chosenSources(client, options.source)) plans.push(await makePlan(client, { source }))
  return confirmed(client, plans, options)
}

export async function rollback(
  client: Client,
  source: string,
  version: string | undefined,
  options: ApplyFlags,
): Promise<number> {
  if (version !== undefined && !/^\d{1,18}$/.test(version))
    throw usage(`A version has a number, not ${JSON.stringify(version)}.`, 'List them: catchment mapping versions')
  const back = await makePlan(client, { source, ...(version === undefined ? { back: true } : { version }) })
  return confirmed(client, [back], options)
}

async function confirmed(client: Client, plans: readonly PlanView[], options: ApplyFlags): Promise<number> {
  const pending = plans.filter((plan) => plan.pending)
  if (!options.json || pending.length === 0) {
    if (options.json) printJson({ plans: [] })
    else print(planText(plans))
  }
  if (pending.length === 0) return 0
  if (!options.yes) await ask()
  return carryOut(client, pending, options)
}

async function ask(): Promise<void> {
  if (!process.stdin.isTTY || !process.stdout.isTTY)
    throw usage('Nobody is here to say yes.', 'Look at the plan, then: catchment apply PLAN, or add --yes')
  const terminal = createInterface({ input: process.stdin, output: process.stdout })
  try {
    const answer = await terminal.question('\nApply it? Only "yes" does: ')
    if (answer.trim().toLowerCase() !== 'yes')
      throw new CatchmentError('Nothing was applied.', { code: 'not_confirmed', hint: 'Answer "yes", or add --yes.' })
  } finally {
    terminal.close()
  }
}

const over = new Set<PlanView['state']>(['applied', 'superseded'])

async function carryOut(client: Client, plans: readonly PlanView[], options: ApplyFlags): Promise<number> {
  const ended: PlanView[] = []
  for (const plan of plans) ended.push(await carryOutOne(client, plan.id, options))
  if (options.json) printJson({ plans: ended })
  else for (const plan of ended) print(ending(plan))
  return ended.some(({ progress }) => (progress?.held ?? 0) > 0) ? 3 : 0
}

async function carryOutOne(client: Client, id: string, { wait, json }: ApplyFlags): Promise<PlanView> {
  let plan = (await client.post(`/api/v1/plans/${id}/apply`)) as PlanView
  const next = async (): Promise<void> => {
    await pause(300)
    plan = (await client.get(`/api/v1/plans/${id}`)) as PlanView
  }
  const begins = !over.has(plan.state)
  while (plan.state === 'checking') await next()
  if (plan.state === 'planned' || plan.state === 'stale') throw refused(plan)
  if (begins && wait && !json)
    print(
      `Applying plan ${id} to ${plan.source}, record by record: until it is through, entities of both versions stand side by side. It goes on by itself if this command or Catchment ends.`,
    )
  while (wait && !over.has(plan.state)) await next()
  return plan
}

/** While it was waited for: the server said so to nobody. */
function refused({ id, problem }: PlanView): CatchmentError {
  const message = problem?.['message']
  return new CatchmentError(typeof message === 'string' ? message : `Plan ${id} was not applied.`, {
    code: 'plan_stale',
    hint: 'Nothing was applied. Look at a new plan: catchment plan',
  })
}

function ending({ id, source, state, progress }: PlanView): string {
  if (state === 'superseded') return `Plan ${id}: another version of ${source} was activated over it.`
  if (progress === null || state !== 'applied') return `Plan ${id} is ${state}. See how it goes: catchment plan`
  const { done, held } = progress
  const counts = ['created', 'updated', 'renamed', 'deleted'].map((operation) => `${done[operation] ?? 0} ${operation}`)
  return [
    `Plan ${id} is applied to ${source}: ${counts.join(', ')}.`,
    ...(held > 0 ? [`${held} held: look at them with catchment held --source ${source}`] : []),
  ].join('\n')
}
