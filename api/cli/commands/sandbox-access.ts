import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { CatchmentError } from '../../../core/sdk/index.ts'
import { type Control, connectControl } from '../../../integrations/github/sandbox/control/client.ts'

export interface SandboxAccess {
  readonly url: string
  readonly control: Control
  /** A call as a person makes it. Answers parsed JSON; throws `sandbox_failed` on a refusal. */
  readonly github: (method: string, path: string, body?: object) => Promise<unknown>
}

const access = z.object({ url: z.string(), token: z.string(), controlToken: z.string() })

/** The sandbox organisation of the Catchment that runs on this data directory. */
export async function openSandbox(dataDir: string): Promise<SandboxAccess> {
  const { url, token, controlToken } = readAccess(dataDir)
  const control = connectControl(url, controlToken)
  await control.send('GET', '/state').catch((cause: unknown) => {
    throw notRunning(cause)
  })
  const github = async (method: string, path: string, body?: object): Promise<unknown> => {
    const answer = await fetch(url + path, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        accept: 'application/vnd.github+json',
        'user-agent': 'catchment',
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const text = await answer.text()
    if (!answer.ok)
      throw new CatchmentError(`The sandbox refused ${method} ${path}: ${answer.status}`, { code: 'sandbox_failed' })
    return text === '' ? undefined : (JSON.parse(text) as unknown)
  }
  return { url, control, github }
}

function readAccess(dataDir: string): z.output<typeof access> {
  let text: string
  try {
    text = readFileSync(join(dataDir, 'sandbox-access.json'), 'utf8')
  } catch (cause) {
    throw notRunning(cause)
  }
  // Written by `start`, whole or not at all.
  return access.parse(JSON.parse(text))
}

function notRunning(cause: unknown): CatchmentError {
  return new CatchmentError('No sandbox organisation is running here.', {
    code: 'sandbox_not_running',
    hint: 'Start it with npm start, without a catchment.yaml; run this where its data directory is (CATCHMENT_DATA).',
    cause,
  })
}
