import { z } from 'zod'
import { BadAnswer } from '../../core/sdk/index.ts'

export const templateConfig = z.strictObject({
  token: z.string().min(1).describe('A token that may read the projects.'),
  projects: z.array(z.string().min(1)).min(1).describe('Projects to read. Each is listed on its own.'),
  baseUrl: z
    .url({ protocol: /^https?$/ })
    .default('https://api.template.example')
    .describe('Address of the API.'),
})
export type TemplateConfig = z.output<typeof templateConfig>

/** The fields that are kept, in this order. Only what a mapping may want to read: each change of a field is a write. */
export const thing = z.object({
  id: z.string().min(1),
  name: z.string(),
  description: z.string().nullable().default(null),
  updatedAt: z.string(),
})

export const page = z.object({ items: z.array(z.json()), next: z.int().nullable() })

/** Throws BadAnswer with the path of the first thing that is wrong, and without its value. */
export function read<T>(schema: z.ZodType<T>, value: unknown, what: string): T {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  const issue = result.error.issues[0]
  throw new BadAnswer(`${what}: ${['$', ...(issue?.path ?? [])].map(String).join('.')}: ${issue?.message ?? ''}`)
}
