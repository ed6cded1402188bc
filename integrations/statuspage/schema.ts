import { z } from 'zod'
import { BadAnswer } from '../../core/sdk/index.ts'

export const statuspageConfig = z.strictObject({
  pages: z
    .array(z.url({ protocol: /^https?$/ }))
    .min(1)
    .describe('Addresses of public status pages: https://www.githubstatus.com. No token is needed.'),
})
export type StatuspageConfig = z.output<typeof statuspageConfig>

const text = z.string().nullable().default(null)
/** Without `updated_at`, which moves with everything that happens on the page. */
const page = z.object({ id: z.string(), name: z.string(), url: text })
const common = { id: z.string().min(1), name: z.string(), status: z.string(), created_at: text, updated_at: text, page }

/** The order of components on the page is left out: a move of one would change many. */
export const component = z.object({
  ...common,
  description: text,
  group: z.boolean().default(false),
  group_id: text,
})

export const incident = z.object({
  ...common,
  impact: text,
  shortlink: text,
  started_at: text,
  monitoring_at: text,
  resolved_at: text,
  components: z.array(z.object({ id: z.string(), name: z.string() })).default([]),
})

/** What both have in common. */
export type Common = Pick<z.output<typeof component>, 'id' | 'updated_at'>

/** A listing, with its list under this name. */
export const envelope = z.object({ page: z.json(), items: z.array(z.record(z.string(), z.json())) })

/** Throws BadAnswer with the path of the first thing that is wrong, and without its value. */
export function read<T>(schema: z.ZodType<T>, value: unknown, what: string): T {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  const issue = result.error.issues[0]
  throw new BadAnswer(`${what}: ${['$', ...(issue?.path ?? [])].map(String).join('.')}: ${issue?.message ?? ''}`)
}

/** The time in UTC, whose order as text is its order in time. Undefined if it is none. */
export function orderable(time: string | null): string | undefined {
  const at = Date.parse(time ?? '')
  return Number.isNaN(at) ? undefined : new Date(at).toISOString()
}
