import { z } from 'zod'
import { faultInput } from '../http/faults.ts'

export { faultInput }

export const tokenInput = z.strictObject({
  /** Shown in the request log. */
  name: z.string().min(1),
  /** Whose token it is: a login; without, the machine account that owns both organisations. */
  user: z.string().optional(),
  kind: z.enum(['classic', 'fine-grained']).default('classic'),
  /** Classic. Without: everything the sandbox serves. */
  scopes: z.array(z.string()).default(['repo', 'admin:org', 'admin:org_hook', 'delete_repo', 'user']),
  /** Fine-grained: permissions by organisation. */
  grants: z
    .record(
      z.string(),
      z.partialRecord(
        z.enum(['metadata', 'administration', 'members', 'organization_administration', 'organization_hooks']),
        z.enum(['read', 'write']),
      ),
    )
    .default({}),
  /** Seconds from now. */
  expiresIn: z.int().positive().optional(),
})

export const limitsInput = z.strictObject({
  hourly: z.int().nonnegative().optional(),
  unauthenticated: z.int().nonnegative().optional(),
  concurrent: z.int().positive().optional(),
  pointsPerMinute: z.int().positive().optional(),
  creationsPerMinute: z.int().positive().optional(),
  creationsPerHour: z.int().positive().optional(),
})

export const advanceInput = z.strictObject({ seconds: z.int().positive() })
export const restoreInput = z.strictObject({ repositoryId: z.int() })
export const seedInput = z.strictObject({ repos: z.int().positive().max(200_000), org: z.string().default('acme') })
export const lifeInput = z.strictObject({ steps: z.int().positive().max(1000).default(1) })

export type TokenInput = z.input<typeof tokenInput>
export type LimitsInput = z.input<typeof limitsInput>
