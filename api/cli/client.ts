import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { CatchmentError } from '../../core/sdk/index.ts'

/** Where a running Catchment answers and with which key. Written by `start` beside the data (0600). */
interface Address {
  readonly url: string
  readonly key: string
}

interface ProblemDocument {
  readonly title?: string
  readonly detail?: string
  readonly code?: string
  readonly hint?: string
  readonly status?: number
}

export interface ClientEnvironment {
  readonly dataDir: string
  readonly url?: string
  readonly key?: string
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8').trim()
  } catch {
    return undefined
  }
}

/** CATCHMENT_URL and CATCHMENT_ADMIN_KEY first, then what the running server left in the data directory. */
function locate(environment: ClientEnvironment): Address {
  const url = environment.url ?? readIfThere(join(environment.dataDir, 'address'))
  const key = environment.key ?? readIfThere(join(environment.dataDir, 'admin-key'))
  if (url === undefined || url === '')
    throw new CatchmentError('No Catchment is running here.', {
      code: 'server_not_running',
      hint: 'Start it with: npm start. For a server elsewhere set CATCHMENT_URL and CATCHMENT_ADMIN_KEY.',
    })
  if (key === undefined || key === '')
    throw new CatchmentError('There is no admin key to call the server with.', {
      code: 'admin_key_missing',
      hint: `Set CATCHMENT_ADMIN_KEY, or run where the data directory is (CATCHMENT_DATA).`,
      exitCode: 2,
    })
  return { url: url.replace(/\/$/, ''), key }
}

export class Client {
  private readonly address: Address

  constructor(environment: ClientEnvironment) {
    this.address = locate(environment)
  }

  get url(): string {
    return this.address.url
  }

  get(path: string): Promise<unknown> {
    return this.request('GET', path)
  }

  post(path: string, body: unknown = {}): Promise<unknown> {
    return this.request('POST', path, body)
  }

  /** For what takes as long as there is to remove. */
  delete(path: string): Promise<unknown> {
    return this.request('DELETE', path, undefined, 290_000)
  }

  private async request(method: string, path: string, body?: unknown, milliseconds = 30_000): Promise<unknown> {
    let response: Response
    try {
      response = await fetch(`${this.address.url}${path}`, {
        method,
        headers: {
          authorization: `Bearer ${this.address.key}`,
          accept: 'application/json',
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        signal: AbortSignal.timeout(milliseconds),
      })
    } catch (cause) {
      throw new CatchmentError(`Catchment does not answer at ${this.address.url}.`, {
        code: 'server_not_running',
        hint: 'Start it with: npm start. For a server elsewhere set CATCHMENT_URL.',
        cause,
      })
    }
    const text = await response.text()
    const answer = parse(text)
    if (response.ok) return answer
    throw problem(response.status, answer)
  }
}

function parse(text: string): unknown {
  try {
    return text === '' ? undefined : (JSON.parse(text) as unknown)
  } catch {
    return undefined
  }
}

function problem(status: number, answer: unknown): CatchmentError {
  const document: ProblemDocument = typeof answer === 'object' && answer !== null ? answer : {}
  return new CatchmentError(document.detail ?? document.title ?? `The server answered ${status}.`, {
    code: document.code ?? `http_${status}`,
    status,
    // A mapping file with mistakes is wrong configuration, as it is at start.
    exitCode: status === 400 || status === 401 || document.code === 'mapping_invalid' ? 2 : 1,
    details: { ...document },
    ...(document.hint === undefined ? {} : { hint: document.hint }),
  })
}
