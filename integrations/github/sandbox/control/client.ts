// The switchboard from the other side: for tests, in the same process or another.
import type { Fault, FaultInput } from '../http/faults.ts'
import type { LoggedRequest, RequestCounts } from '../http/requestLog.ts'
import type { AppInput, FindingInput, LimitsInput, TokenInput } from './schema.ts'

export interface Control {
  readonly token: string
  /** Raw access, for what has no method here. */
  send<T>(method: string, path: string, body?: object): Promise<T>
  fault(fault: FaultInput): Promise<Fault>
  /** All of them without an id. */
  heal(id?: number): Promise<void>
  /** `since` is the `n` of a request already known. */
  requests(since?: number): Promise<{ counts: RequestCounts; requests: LoggedRequest[] }>
  clearRequests(): Promise<void>
  makeToken(input: TokenInput): Promise<{ id: number; token: string }>
  /** A GitHub App, installed; the only answer that shows its key. */
  makeApp(input: AppInput): Promise<{ id: number; privateKey: string }>
  revokeToken(id: number): Promise<void>
  limits(input: LimitsInput): Promise<void>
  /** Moves the clock of the rate limits. */
  advance(seconds: number): Promise<void>
  restore(repositoryId: number): Promise<{ id: number; full_name: string }>
  /** GitHub finds something in `owner/name`; answers the number of the alert. */
  find(repository: string, finding: FindingInput['finding']): Promise<number>
  deleteIssue(repository: string, number: number): Promise<void>
  seed(repos: number, org?: string): Promise<{ repositories: number }>
  /** Lets `steps` small things happen now; says what. */
  life(steps: number): Promise<string[]>
  /** Waits until no delivery waits or is on its way. */
  settle(): Promise<void>
}

export function connectControl(url: string, token: string): Control {
  const send = async <T>(method: string, path: string, body?: object): Promise<T> => {
    const answer = await fetch(`${url}/_sandbox${path}`, {
      method,
      headers: { authorization: `Bearer ${token}` },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const text = await answer.text()
    if (!answer.ok) throw new Error(`switchboard ${method} ${path}: ${answer.status} ${text}`)
    // The switchboard is of this same version; its answers are what the methods below promise.
    return JSON.parse(text) as T
  }
  return {
    token,
    send,
    fault: (fault) => send('POST', '/faults', fault),
    heal: async (id) => {
      await send('DELETE', id === undefined ? '/faults' : `/faults/${id}`)
    },
    requests: (since = 0) => send('GET', `/requests?since=${since}`),
    clearRequests: async () => {
      await send('DELETE', '/requests')
    },
    makeToken: (input) => send('POST', '/tokens', input),
    makeApp: (input) => send('POST', '/apps', input),
    revokeToken: async (id) => {
      await send('DELETE', `/tokens/${id}`)
    },
    limits: async (input) => {
      await send('POST', '/limits', input)
    },
    advance: async (seconds) => {
      await send('POST', '/advance', { seconds })
    },
    restore: (repositoryId) => send('POST', '/restore', { repositoryId }),
    find: async (repository, finding) =>
      (await send<{ number: number }>('POST', '/findings', { repository, finding })).number,
    deleteIssue: async (repository, number) => {
      await send('DELETE', '/issues', { repository, number })
    },
    seed: (repos, org) => send('POST', '/seed', { repos, ...(org === undefined ? {} : { org }) }),
    life: async (steps) => (await send<{ happened: string[] }>('POST', '/life', { steps })).happened,
    settle: async () => {
      await send('POST', '/settle')
    },
  }
}
