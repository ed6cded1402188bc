import { z } from 'zod'
import { text, time } from './schemas.ts'

export const asOf = text
  .optional()
  .describe('The catalog as it was: a time (ISO 8601), a revision, or a position of the change feed.')

export const momentSchema = z.object({ position: z.string(), at: time.nullable() })
