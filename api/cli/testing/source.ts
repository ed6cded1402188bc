// What tests of failures need around a Catchment: its configuration, deliveries as GitHub sends them, a clean complaint.
import { createHmac, randomBytes, randomUUID } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'vitest'
import type { Finished } from './catchment.ts'

/** Recognisable wherever they turn up; as long as real ones. */
export const secrets = {
  token: 'ghp_R3cognisableTokenOfNobody000000000001',
  webhook: 'recognisable-webhook-secret-0001',
  adminKey: 'recognisable-admin-key-000000001',
} as const

/** Writes catchment.yaml with one GitHub source; token and secret come from the environment this answers. */
export async function configure(
  folder: string,
  source: { readonly baseUrl: string; readonly token: string; readonly kinds?: string },
): Promise<Record<string, string>> {
  await mkdir(folder, { recursive: true })
  await writeFile(
    join(folder, 'catchment.yaml'),
    `sources:
  - name: github
    integration: github
    config: { token: "\${env:GITHUB_TOKEN}", organizations: [acme], baseUrl: "${source.baseUrl}" }
    kinds: ${source.kinds ?? '[repository]'}
    webhooks: { secret: "\${env:WEBHOOK_SECRET}" }
`,
  )
  return { GITHUB_TOKEN: source.token, WEBHOOK_SECRET: secrets.webhook }
}

/** A signed delivery of about so many bytes that do not compress. Answers its id and the status; 0 when nobody answered. */
export async function deliver(
  url: string,
  bytes: number,
): Promise<{ readonly id: string; readonly status: number; readonly text: string }> {
  const id = randomUUID()
  const body = JSON.stringify({
    zen: 'Keep it logically awesome.',
    filler: randomBytes(Math.ceil(bytes / 2)).toString('hex'),
  })
  const signature = createHmac('sha256', secrets.webhook).update(body).digest('hex')
  try {
    const answer = await fetch(`${url}/webhooks/github`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'x-github-delivery': id,
        'x-github-event': 'ping',
        'x-hub-signature-256': `sha256=${signature}`,
      },
      body,
      signal: AbortSignal.timeout(30_000),
    })
    return { id, status: answer.status, text: await answer.text() }
  } catch {
    return { id, status: 0, text: '' }
  }
}

/** It says what happened and what to do: no stack trace, no secret. */
export function expectPlain({ stdout, stderr }: Pick<Finished, 'stdout' | 'stderr'>): void {
  const output = stdout + stderr
  expect(output).not.toMatch(/^\s+at .+:\d+/m)
  expect(output).not.toMatch(/node:internal|UnhandledPromise|\[object Object\]/)
  for (const secret of Object.values(secrets)) expect(output).not.toContain(secret)
}
