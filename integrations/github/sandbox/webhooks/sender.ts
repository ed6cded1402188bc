// Sends waiting deliveries as GitHub does: signed over the raw bytes, ten seconds each, no retry of its own, in no promised order.
import { createHmac } from 'node:crypto'
import type { Faults } from '../http/faults.ts'
import type { Delivery, Hook } from '../state/model.ts'
import type { World } from '../state/world.ts'

const timeout = 10_000
const inFlightAtMost = 20
const keptAnswer = 4096

interface Outcome {
  status: string
  statusCode: number
  responseHeaders: Record<string, string> | null
  responsePayload: string | null
}

function rawBody(hook: Hook, delivery: Delivery): string {
  if (hook.config.contentType === 'json') return delivery.payload
  return new URLSearchParams({ payload: delivery.payload }).toString()
}

function deliveryHeaders(hook: Hook, delivery: Delivery, raw: string): Record<string, string> {
  const sign = (algorithm: string): string =>
    createHmac(algorithm, hook.config.secret ?? '')
      .update(raw)
      .digest('hex')
  return {
    Accept: '*/*',
    'Content-Type': hook.config.contentType === 'json' ? 'application/json' : 'application/x-www-form-urlencoded',
    'User-Agent': 'GitHub-Hookshot/5a4d0b1',
    'X-GitHub-Delivery': delivery.guid,
    'X-GitHub-Event': delivery.event,
    'X-GitHub-Hook-ID': String(hook.id),
    'X-GitHub-Hook-Installation-Target-ID': String(hook.orgId),
    'X-GitHub-Hook-Installation-Target-Type': 'organization',
    ...(hook.config.secret === null
      ? {}
      : { 'X-Hub-Signature': `sha1=${sign('sha1')}`, 'X-Hub-Signature-256': `sha256=${sign('sha256')}` }),
  }
}

export class Sender {
  readonly #world: World
  readonly #faults: Faults
  readonly #waiting: number[] = []
  readonly #stopping = new AbortController()
  readonly #running = new Set<Promise<void>>()

  constructor(world: World, faults: Faults) {
    this.#world = world
    this.#faults = faults
    for (const delivery of world.all('deliveries')) if (delivery.pending) this.#waiting.push(delivery.id)
    world.onCommit((ops) => {
      for (const op of ops) if (op.t === 'deliveries' && op.row?.pending) this.#waiting.push(op.row.id)
      if (this.#waiting.length > 0) setImmediate(() => this.pump())
    })
  }

  pump(): void {
    while (this.#running.size < inFlightAtMost && !this.#stopping.signal.aborted) {
      const id = this.#waiting.shift()
      if (id === undefined) return
      const run = this.#deliver(id).finally(() => {
        this.#running.delete(run)
        this.pump()
      })
      this.#running.add(run)
    }
  }

  /** Resolves once nothing waits or is on its way. */
  async idle(): Promise<void> {
    while (this.#running.size > 0 || this.#waiting.length > 0) {
      await Promise.all(this.#running)
      await new Promise((resolve) => setImmediate(resolve))
    }
  }

  /** What is on its way is cut off and stays waiting: it is sent at the next start. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    await Promise.all(this.#running)
  }

  async #deliver(id: number): Promise<void> {
    const delivery = this.#world.get('deliveries', id)
    const hook = delivery && this.#world.get('hooks', delivery.hookId)
    if (!delivery || !hook) return
    const plan = this.#faults.forDelivery(delivery.event, delivery.action)
    if (plan.delay > 0 && !(await this.#pause(plan.delay))) return
    const raw = rawBody(hook, delivery)
    const headers = deliveryHeaders(hook, delivery, raw)
    const started = performance.now()
    let outcome: Outcome | undefined
    if (plan.drop) outcome = { status: 'timed out', statusCode: 504, responseHeaders: null, responsePayload: null }
    else for (let copy = 0; copy < 1 + plan.copies; copy += 1) outcome = await this.#post(hook.config.url, headers, raw)
    if (outcome === undefined || this.#stopping.signal.aborted) return
    const row: Delivery = {
      ...delivery,
      ...outcome,
      pending: false,
      deliveredAt: new Date(this.#world.milliseconds).toISOString(),
      duration: Math.round(performance.now() - started) / 1000,
      requestHeaders: headers,
    }
    // The outcome may be lost with the machine: the delivery is then sent once more, which GitHub may do, too.
    this.#world.transaction((tx) => tx.put('deliveries', row), { durable: false })
  }

  async #post(url: string, headers: Record<string, string>, body: string): Promise<Outcome> {
    const signal = AbortSignal.any([this.#stopping.signal, AbortSignal.timeout(timeout)])
    try {
      const answer = await fetch(url, { method: 'POST', headers, body, redirect: 'manual', signal })
      const text = await answer.text()
      return {
        status: answer.ok ? 'OK' : `Invalid HTTP Response: ${answer.status}`,
        statusCode: answer.status,
        responseHeaders: Object.fromEntries(answer.headers),
        responsePayload: text.slice(0, keptAnswer),
      }
    } catch (error) {
      const late = error instanceof Error && error.name === 'TimeoutError'
      return {
        status: late ? 'timed out' : 'failed to connect to host',
        statusCode: late ? 504 : 502,
        responseHeaders: null,
        responsePayload: null,
      }
    }
  }

  /** False if the sandbox stops meanwhile. */
  #pause(ms: number): Promise<boolean> {
    const { signal } = this.#stopping
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(true), ms)
      signal.addEventListener('abort', () => {
        clearTimeout(timer)
        resolve(false)
      })
    })
  }
}
