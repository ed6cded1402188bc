import type { Key, Locator, Signal, Version } from '../sdk/index.ts'
import { compareVersions } from './decide.ts'

type Named = Exclude<Signal, { type: 'resync' }>

/** What the signals of one pass say together about one key in one partition. */
export type Word =
  | {
      readonly type: 'body'
      readonly signal: Extract<Named, { type: 'stale' }>
      readonly version: Version
      readonly from: number
    }
  | {
      readonly type: 'gone'
      readonly signal: Extract<Named, { type: 'gone' }>
      readonly version: Version
      readonly from: number
    }
  | {
      readonly type: 'ask'
      readonly reason: string
      /** The source itself said for this key that it is gone. */
      readonly signed: boolean
    }

export interface Subject {
  readonly kind: string
  readonly key: Key
  readonly partition: string
  readonly locator: Locator | undefined
  readonly word: Word
  /** Deliveries (by number) that named it. */
  readonly named: readonly number[]
}

export interface Heard {
  readonly delivery: number
  readonly signals: readonly Signal[]
}

/**
 * Many deliveries, one answer per key: the newest version where every signal carries one, otherwise a question. The order
 * in which the deliveries came decides nothing.
 */
export function coalesce(heard: readonly Heard[]): { subjects: readonly Subject[]; resyncs: readonly string[] } {
  const groups = new Map<string, { signal: Named; delivery: number }[]>()
  const resyncs = new Set<string>()
  for (const { delivery, signals } of heard) {
    for (const signal of signals) {
      if (signal.type === 'resync') {
        resyncs.add(signal.kind)
        continue
      }
      const id = JSON.stringify([signal.kind, signal.key, signal.partition])
      const group = groups.get(id)
      if (group === undefined) groups.set(id, [{ signal, delivery }])
      else group.push({ signal, delivery })
    }
  }
  return { subjects: [...groups.values()].map((group) => subject(group)), resyncs: [...resyncs] }
}

function subject(group: readonly { signal: Named; delivery: number }[]): Subject {
  // A group is made with its first member.
  const first = group[0] as { signal: Named; delivery: number }
  return {
    kind: first.signal.kind,
    key: first.signal.key,
    partition: first.signal.partition,
    locator: group.findLast(({ signal }) => signal.locator !== undefined)?.signal.locator,
    word: wordOf(group),
    named: [...new Set(group.map(({ delivery }) => delivery))],
  }
}

function wordOf(group: readonly { signal: Named; delivery: number }[]): Word {
  const signed = group.some(({ signal }) => signal.type === 'gone')
  let best: Exclude<Word, { type: 'ask' }> | undefined
  for (const { signal, delivery } of group) {
    const version = usable(signal)
    if (version === undefined) return { type: 'ask', reason: 'a delivery says that it changed', signed }
    if (best !== undefined && compareVersions(version, best.version) !== 'newer') continue
    best =
      signal.type === 'gone'
        ? { type: 'gone', signal, version, from: delivery }
        : { type: 'body', signal, version, from: delivery }
  }
  if (best === undefined) return { type: 'ask', reason: 'a delivery says that it changed', signed }
  const { version, signal } = best
  const contradicted = group.some((each) => usable(each.signal) === version && !sameSaid(each.signal, signal))
  return contradicted ? { type: 'ask', reason: 'deliveries of one version differ', signed } : best
}

/** The version of a signal that can be applied as it is: a whole body, or a gone. */
function usable(signal: Named): Version | undefined {
  if (signal.type === 'gone') return signal.version
  return signal.whole === true && signal.body !== undefined ? signal.version : undefined
}

function sameSaid(left: Named, right: Named): boolean {
  if (left === right) return true
  if (left.type === 'gone' || right.type === 'gone') return left.type === right.type
  return JSON.stringify(left.body) === JSON.stringify(right.body)
}
