import { z } from 'zod'
import { faultInput } from '../http/faults.ts'

export { faultInput }

const permissions = z.partialRecord(
  z.enum([
    'metadata',
    'administration',
    'members',
    'organization_administration',
    'organization_hooks',
    'repository_hooks',
    'actions',
    'contents',
    'deployments',
    'environments',
    'issues',
    'pull_requests',
    'secret_scanning_alerts',
    'security_events',
    'vulnerability_alerts',
  ]),
  z.enum(['read', 'write']),
)

export const appInput = z.strictObject({
  name: z.string().regex(/^[a-z0-9-]+$/),
  /** What each organisation lets it do. */
  installations: z.record(z.string(), permissions),
})

export const tokenInput = z.strictObject({
  /** Shown in the request log. */
  name: z.string().min(1),
  /** Whose token it is: a login; without, the machine account that owns both organisations. */
  user: z.string().optional(),
  kind: z.enum(['classic', 'fine-grained']).default('classic'),
  /** Classic. Without: everything the sandbox serves. */
  scopes: z.array(z.string()).default(['repo', 'admin:org', 'admin:org_hook', 'delete_repo', 'user', 'workflow']),
  /** Fine-grained: permissions by organisation. */
  grants: z.record(z.string(), permissions).default({}),
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

const inRepository = { repository: z.string().regex(/^[^/\s]+\/[^/\s]+$/, 'expected owner/name') }
const severity = z.enum(['low', 'medium', 'high', 'critical']).default('high')

/** What GitHub's scanners find; nobody makes an alert through the API. */
export const findingInput = z.strictObject({
  ...inRepository,
  finding: z.discriminatedUnion('type', [
    z.strictObject({
      type: z.literal('dependabot'),
      ecosystem: z.string().default('npm'),
      package: z.string().default('left-pad'),
      manifest: z.string().default('package.json'),
      severity,
      ghsa: z.string().default('GHSA-0000-0000-0000'),
      summary: z.string().default('A package that should not be used'),
    }),
    z.strictObject({
      type: z.literal('code'),
      rule: z.string().default('js/xss'),
      description: z.string().default('What a user sent is shown as it is'),
      severity,
      path: z.string().default('src/main'),
      ref: z.string().default('refs/heads/main'),
    }),
    z.strictObject({
      type: z.literal('secret'),
      secretType: z.string().default('slack_api_token'),
      displayName: z.string().default('Slack API Token'),
    }),
  ]),
})

/** Issues go on a page or by GraphQL only. */
export const issueInput = z.strictObject({ ...inRepository, number: z.int().positive() })

export type FindingInput = z.input<typeof findingInput>
export type AppInput = z.input<typeof appInput>
export type TokenInput = z.input<typeof tokenInput>
export type LimitsInput = z.input<typeof limitsInput>
