// Bodies as people send them: strict about what is read, silent about what GitHub ignores.
import { z } from 'zod'
import { invalid } from '../http/refusal.ts'

/** Reads a body; a wrong field is a 422 in GitHub's shape. */
export function read<T extends z.ZodType>(schema: T, resource: string, body: unknown): z.output<T> {
  const result = schema.safeParse(body)
  if (result.success) return result.data
  throw invalid(
    ...result.error.issues.map((issue) => {
      const field = issue.path.join('.')
      const missing = issue.code === 'invalid_type' && issue.input === undefined
      return { resource, field, code: missing ? 'missing_field' : 'invalid', message: issue.message }
    }),
  )
}

export const repoName = z
  .string()
  .max(100)
  .regex(/^[A-Za-z0-9._-]+$/)
export const topicNames = z
  .array(
    z
      .string()
      .max(50)
      .regex(/^[a-z0-9][a-z0-9-]*$/),
  )
  .max(20)
export const permission = z.enum(['pull', 'triage', 'push', 'maintain', 'admin'])

/** Only the members that were given: an absent one means "leave it". */
export function given<T extends object>(fields: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  const kept: { [K in keyof T]?: Exclude<T[K], undefined> } = {}
  for (const key of Object.keys(fields)) copy(fields, kept, key)
  return kept
}

function copy<T extends object>(from: T, to: { [K in keyof T]?: Exclude<T[K], undefined> }, key: string): void {
  const value: unknown = Reflect.get(from, key)
  if (value !== undefined) Reflect.set(to, key, value)
}
