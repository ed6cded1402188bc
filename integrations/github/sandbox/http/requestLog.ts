/** One request as the sandbox saw it; the token by its name, never itself. */
export interface LoggedRequest {
  /** Counts from 1; ask for what came after one you know. */
  readonly n: number
  /** Milliseconds since 1970. */
  readonly at: number
  readonly method: string
  readonly path: string
  readonly query: string
  readonly page: number
  readonly status: number
  readonly token: string | null
  readonly conditional: boolean
  readonly listing: boolean
  /** How long it took, in milliseconds. */
  readonly ms: number
}

export interface RequestCounts {
  total: number
  byStatus: Record<string, number>
  listings: number
  notModifiedListings: number
}

const kept = 20_000

export class RequestLog {
  #requests: LoggedRequest[] = []
  #n = 0
  #counts: RequestCounts = { total: 0, byStatus: {}, listings: 0, notModifiedListings: 0 }

  add(request: Omit<LoggedRequest, 'n'>): void {
    this.#n += 1
    this.#requests.push({ n: this.#n, ...request })
    if (this.#requests.length > 2 * kept) this.#requests = this.#requests.slice(-kept)
    const counts = this.#counts
    counts.total += 1
    counts.byStatus[request.status] = (counts.byStatus[request.status] ?? 0) + 1
    if (!request.listing) return
    counts.listings += 1
    if (request.status === 304) counts.notModifiedListings += 1
  }

  since(n: number): LoggedRequest[] {
    return this.#requests.filter((request) => request.n > n)
  }

  get counts(): RequestCounts {
    return this.#counts
  }

  clear(): void {
    this.#requests = []
    this.#counts = { total: 0, byStatus: {}, listings: 0, notModifiedListings: 0 }
  }
}
