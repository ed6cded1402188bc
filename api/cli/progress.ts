import type { ScanView } from '../../core/catalog/query/scans.ts'
import { CatchmentError } from '../../core/sdk/index.ts'
import type { EngineEvent } from '../../core/sync/engine.ts'
import { duration } from './output.ts'

type ScanEvent = Extract<EngineEvent, { type: 'scan' }>

interface Line {
  readonly started: number
  event: ScanEvent
}

/** How a scan stands, in one line: "github repository acme  38/46 items  83 %  210/s  1 s left". */
export function scanLine(event: ScanEvent, elapsed: number): string {
  const name = `${event.source} ${event.kind} ${event.partition}`
  const rate = elapsed > 0 ? (event.items * 1000) / elapsed : 0
  if (event.state === 'parked') {
    const until =
      event.parkedUntil === undefined ? '' : ` until ${new Date(event.parkedUntil).toISOString().slice(11, 19)}`
    return `${name}  parked${until}: rate limit, ${event.items} items so far`
  }
  const share =
    event.expected === undefined || event.expected === 0
      ? ''
      : `  ${Math.min(99, Math.floor((event.items * 100) / event.expected))} %`
  const left =
    event.expected === undefined || rate === 0 || event.expected <= event.items
      ? ''
      : `  ${duration(((event.expected - event.items) / rate) * 1000)} left`
  const of =
    event.expected === undefined || event.expected === 0 ? `${event.items}` : `${event.items}/${event.expected}`
  return `${name}  ${of} items${share}  ${Math.round(rate)}/s${left}`
}

/** What a scan did and cost, in one line; what there was none of is left out. */
export function summary(scan: ScanView): string {
  const took = Date.parse(scan.endedAt ?? scan.startedAt) - Date.parse(scan.startedAt)
  const some = (count: number, what: string): string[] => (count === 0 ? [] : [`${count} ${what}`])
  const parts = [
    `${scan.items} items`,
    `${scan.changed} changed`,
    `${scan.removed} removed`,
    ...some(scan.failed, 'failed'),
    ...some(scan.held, 'held'),
    `${scan.calls} calls (${scan.quota} of the quota)`,
    duration(took),
  ]
  const reason = scan.reason === null ? '' : `: ${scan.reason}`
  return `${scan.source} ${scan.kind} ${scan.partition}  ${scan.state}  ${parts.join(', ')}${reason}`
}

/**
 * Progress on the terminal: one line redrawn while scans run, one line kept for each that ended. Where nobody watches
 * (no TTY), only the kept lines.
 */
export class Progress {
  private readonly lines = new Map<string, Line>()
  private drawn = ''
  private readonly refusals = new Map<string, string>()
  private readonly out: NodeJS.WriteStream
  private readonly now: () => number
  private quiet = false

  constructor(out: NodeJS.WriteStream, now: () => number) {
    this.out = out
    this.now = now
  }

  /** After the first scans only what is not routine is said: unchanged rescans would scroll everything else away. */
  settle(): void {
    this.quiet = true
  }

  onEvent(event: EngineEvent): void {
    if (event.type === 'scan') this.onScan(event)
    else if (event.type === 'held')
      this.say(`held: ${event.count} ${event.kind} of ${event.source}: ${event.reason}. Look: catchment held`)
    else if (event.type === 'hooks') this.onHooks(event)
    else if (event.type === 'check' && event.error === undefined) this.refusals.delete(event.source)
    else if (event.type === 'check' && event.error !== undefined) this.onCheck(event.source, event.error)
    else if (event.type === 'delivery' && event.outcome === 'dead')
      this.say(`${event.source}: delivery ${event.event} was set aside; it is kept and can be replayed`)
    else if (event.type === 'changes' && this.quiet) {
      const parts = (['created', 'updated', 'renamed', 'deleted'] as const).filter((name) => event[name] > 0)
      if (parts.length > 0) this.say(`${event.source}: ${parts.map((name) => `${event[name]} ${name}`).join(', ')}`)
    }
  }

  /** Every kind asks again, each time; the same answer is said once. */
  private onCheck(source: string, error: Error): void {
    const hint = error instanceof CatchmentError && error.hint !== undefined ? `\n  ${error.hint}` : ''
    const text = `${source}: ${error.message}${hint}`
    if (this.refusals.get(source) !== text) this.say(text)
    this.refusals.set(source, text)
  }

  private onHooks({ source, done, refused, redelivered }: Extract<EngineEvent, { type: 'hooks' }>): void {
    for (const { scope, what } of done) this.say(`${source}: webhook of ${scope} ${what}`)
    if (redelivered > 0) this.say(`${source}: ${redelivered} missed deliveries are asked for again`)
    const text = refused.map(({ scope, reason }) => `${source}: no webhook for ${scope}: ${reason}`).join('\n')
    if (text !== '' && this.refusals.get(`${source} webhooks`) !== text) this.say(text)
    this.refusals.set(`${source} webhooks`, text)
  }

  private onScan(event: ScanEvent): void {
    const id = `${event.source}/${event.kind}/${event.partition}`
    const line = this.lines.get(id) ?? { started: this.now(), event }
    line.event = event
    this.lines.set(id, line)
    const elapsed = this.now() - line.started
    if (event.state === 'running') {
      if (this.out.isTTY && !this.quiet) this.draw(scanLine(event, elapsed))
      return
    }
    if (event.state === 'parked') this.say(scanLine(event, elapsed))
    else this.lines.delete(id)
  }

  /** Its end, with all that it did. */
  onScanned(scan: ScanView): void {
    const routine = scan.state === 'complete' && scan.changed === 0 && scan.removed === 0
    if (!this.quiet || !routine) this.say(summary(scan))
  }

  /** Above the line that is being drawn, which stays the last one. */
  say(text: string): void {
    const drawn = this.drawn
    if (drawn !== '') this.out.write('\r\u001b[K')
    this.drawn = ''
    this.out.write(`${text}\n`)
    if (drawn !== '' && this.lines.size > 0) this.draw(drawn)
  }

  private draw(text: string): void {
    this.drawn = text.slice(0, (this.out.columns ?? 80) - 1)
    this.out.write(`\r\u001b[K${this.drawn}`)
  }
}
