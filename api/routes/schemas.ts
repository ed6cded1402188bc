import { z } from 'zod'
import { problemSchema } from '../problem.ts'

/** Names and other short texts in parameters. The database cannot hold U+0000. */
export const text = z
  .string()
  .min(1)
  .max(1000)
  .refine((value) => !value.includes('\0'), 'must not contain U+0000')

/** Numeric id, as text: it may be larger than a JavaScript number holds. */
export const id = z.string().regex(/^\d{1,18}$/, 'is not an id')

export const limit = z.coerce.number().int().min(1).max(1000).default(100).describe('How many items at most.')

export const cursor = z.string().max(4000).optional().describe('`next` of the answer before, to go on behind it.')

export const paging = { limit, cursor }

/** Arrays that are only read: the views of the catalog are readonly. */
export function array<T extends z.ZodType>(item: T): z.ZodReadonly<z.ZodArray<T>> {
  return z.array(item).readonly()
}

export function list<T extends z.ZodType>(
  item: T,
): z.ZodObject<{
  items: z.ZodReadonly<z.ZodArray<T>>
  next: z.ZodOptional<z.ZodString>
}> {
  return z.object({
    items: array(item),
    next: z.string().optional().describe('Pass as `cursor` for the next page; absent on the last one.'),
  })
}

export const time = z.string().describe('ISO 8601, UTC.')

/** JSON of which the form is not ours. */
export const json = z.unknown()

export const object = z.record(z.string(), z.unknown())

export const reference = z.string().describe('`blueprint:identifier`')

/** Answers besides success that any route may give. */
export const problems = {
  '4xx': {
    description: 'The request cannot be answered.',
    content: { 'application/problem+json': { schema: problemSchema } },
  },
  '5xx': {
    description: 'The server cannot answer now.',
    content: { 'application/problem+json': { schema: problemSchema } },
  },
} as const

/** The reason an expression failed, see docs on mappings. */
export const mappingProblem = z
  .object({
    code: z.string(),
    mapping: z.string(),
    field: z.string(),
    expression: z.string(),
    message: z.string(),
    file: z.string().optional(),
    line: z.number().optional(),
    column: z.number().optional(),
  })
  .meta({ id: 'MappingProblem' })
