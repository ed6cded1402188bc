import { setTimeout as pause } from 'node:timers/promises'
import type { SourceView } from '../../../core/catalog/query/sources.ts'
import { MANUAL } from '../../../core/catalog/store.ts'
import type { PlanView } from '../../../core/plan/view.ts'
import { CatchmentError } from '../../../core/sdk/index.ts'
import type { Client } from '../client.ts'
import { readFile } from '../mapping-files.ts'
import { print, printJson } from '../output.ts'
import type { PlanFlags } from '../planning.ts'
import { usage } from '../run.ts'
import { planMarkdown } from './plan-markdown.ts'
import { planText } from './plan-text.ts'

/** Exit status 4 with `--exit-code` when something is pending. */
export async function plan(client: Client, options: PlanFlags): Promise<number> {
  const given = {
    ...(options.mapping === undefined ? {} : { mapping: textOf(options.mapping) }),
    ...(options.blueprint.length === 0 ? {} : { blueprints: options.blueprint.map(textOf) }),
  }
  const sources = await chosenSources(client, options.source)
  if (sources.length > 1 && Object.keys(given).length > 0)
    throw usage('Which source is it for?', `Name it: --source ${sources.join(' | ')}`)
  const plans: PlanView[] = []
  for (const source of sources) plans.push(await makePlan(client, { source, ...given }))
  const pending = plans.filter((each) => each.pending)
  if (options.json) printJson({ pending: pending.length > 0, plans })
  else if (options.markdown) print(planMarkdown(plans))
  else print(planText(plans))
  return options.exitCode && pending.length > 0 ? 4 : 0
}

function textOf(file: string): { file: string; text: string } {
  return { file, text: readFile(file) }
}

/** Sources that have files and are configured now: of the others nothing can be pending. */
export async function chosenSources(client: Client, only: string | undefined): Promise<readonly string[]> {
  if (only !== undefined) return [only]
  // The shape is the server's own, of the same version.
  const { items } = (await client.get('/api/v1/sources?limit=1000')) as { items: readonly SourceView[] }
  return items.filter(({ name, state }) => state === 'active' && name !== MANUAL).map(({ name }) => name)
}

/** Waits until it is made, however long that takes. Throws why it could not be. */
export async function makePlan(client: Client, body: Readonly<Record<string, unknown>>): Promise<PlanView> {
  let made = (await client.post('/api/v1/plans', body)) as PlanView
  while (made.state === 'making') {
    await pause(500)
    made = (await client.get(`/api/v1/plans/${made.id}`)) as PlanView
  }
  if (made.state !== 'failed') return made
  const { code, message, hint } = made.problem ?? {}
  throw new CatchmentError(typeof message === 'string' ? message : 'The plan could not be made.', {
    code: typeof code === 'string' ? code : 'plan_failed',
    ...(typeof hint === 'string' ? { hint } : {}),
  })
}
