import { Redacted, type SourceConfig } from '../../../core/config/index.ts'
import { CatchmentError } from '../../../core/sdk/index.ts'
import type { SpawnedSandbox } from '../../../integrations/github/sandbox/spawn.ts'
import { sandboxName } from './own-sources.ts'
import { ownSecret } from './secrets.ts'

export const sandboxOrganizations = ['acme', 'acme-labs']

/**
 * Registers our webhook in the sandbox, the way a person would in GitHub's settings, and keeps exactly one: the address
 * may have changed since the last start.
 */
export async function registerHooks(
  sandbox: Pick<SpawnedSandbox, 'url' | 'token'>,
  organizations: readonly string[],
  hook: { readonly url: string; readonly secret: string },
): Promise<void> {
  const call = async (method: string, path: string, body?: unknown): Promise<unknown> => {
    const response = await fetch(`${sandbox.url}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${sandbox.token}`,
        accept: 'application/vnd.github+json',
        'user-agent': 'catchment',
        'content-type': 'application/json',
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    if (!response.ok)
      throw new CatchmentError(`The sandbox refused ${method} ${path}: ${response.status}`, { code: 'sandbox_failed' })
    return text === '' ? undefined : (JSON.parse(text) as unknown)
  }
  for (const organization of organizations) {
    // The shape is our own sandbox's, held to GitHub's schema by its tests.
    const hooks = (await call('GET', `/orgs/${organization}/hooks`)) as readonly {
      id: number
      config: { url?: string }
    }[]
    const config = { url: hook.url, secret: hook.secret, content_type: 'json', insecure_ssl: '0' }
    const ours = hooks.filter((existing) => existing.config.url?.endsWith(new URL(hook.url).pathname))
    const [first, ...others] = ours
    for (const other of others) await call('DELETE', `/orgs/${organization}/hooks/${other.id}`)
    if (first === undefined)
      await call('POST', `/orgs/${organization}/hooks`, { name: 'web', active: true, events: ['*'], config })
    else await call('PATCH', `/orgs/${organization}/hooks/${first.id}`, { active: true, events: ['*'], config })
  }
}

export function sandboxGone(): Error {
  return new CatchmentError('The sandbox organisation ended by itself.', {
    code: 'sandbox_failed',
    hint: 'Start again; its state is kept.',
  })
}

export function sandboxSource(sandbox: SpawnedSandbox, dataDir: string): SourceConfig {
  return {
    name: sandboxName,
    integration: 'github',
    config: new Redacted<unknown>({
      token: sandbox.token,
      organizations: sandboxOrganizations,
      baseUrl: sandbox.url,
      pageSize: 30,
    }),
    keep: { default: 'all' },
    drop: {},
    schedule: { scan: '*/5 * * * *', freshnessSeconds: 900 },
    variables: {},
    guard: { share: 0.25, minimum: 5 },
    quota: { reserve: 0.4 },
    webhooks: { manage: false, secret: new Redacted(ownSecret(dataDir, 'webhook-secret')) },
  }
}
