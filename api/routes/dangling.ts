import { z } from 'zod'
import { danglingProblems } from '../../core/catalog/query/dangling.ts'
import { reference } from './schemas.ts'

/** A relation that leads nowhere although it must. */
export const danglingRelation = z
  .object({
    reference,
    relation: z.string(),
    required: z.boolean(),
    problem: z
      .enum(danglingProblems)
      .describe(
        'empty: nothing is said; missing: a name that nothing goes by; none, many: what a search found for one target; refused: the search cannot be answered.',
      ),
    detail: z.string(),
  })
  .meta({ id: 'Dangling' })

/** A record that claims a name that only one may have. */
export const claim = z
  .object({
    source: z.string(),
    kind: z.string(),
    key: z.string(),
    wins: z.boolean().describe('It is the one that the entity says; the others are not heard.'),
  })
  .meta({ id: 'Claim' })
