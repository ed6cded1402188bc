import type { Span, StoredRecord } from '../catalog/stored.ts'
import type { Version } from '../sdk/index.ts'

/** One raw object seen once. */
export interface Observation {
  /** `signal`: the body of a delivery. It was made nobody knows when, so its span begins at 0 and only its version can order it. */
  readonly via: 'list' | 'get' | 'signal'
  readonly partitionId: number
  readonly hash: string
  readonly version: Version | undefined
  readonly span: Span
}

export type Decision =
  /** Same content, still there. Outside a scan it moves the watermark; within one the page does. */
  | { readonly do: 'unchanged' }
  | { readonly do: 'replace'; readonly why: 'new' | 'newer' | 'later' | 'revived' | 'presence' | 'remap' }
  /** It may be newer or older than what is stored: ask the source what is true now. */
  | { readonly do: 'ask'; readonly reason: string }
  /** What is stored was read after this observation had ended. */
  | { readonly do: 'drop' }

export interface DecideContext {
  /** The active mapping version. */
  readonly mappingId: number
  /** The kind has a `get`. Without one the source's later answer is all there is. */
  readonly canAsk: boolean
  /**
   * Begin tick of the partition's last complete scan in this process. What it did not list leaves no tombstone if it was
   * not stored, so an answer that is older must not bring it in.
   */
  readonly completeBegin?: bigint
}

/** Newest wins, and doubt asks (I5). `stored`: undefined for a key that was never seen. */
export function decide(seen: Observation, stored: StoredRecord | undefined, context: DecideContext): Decision {
  if (stored === undefined) {
    // A body that arrives for an unknown key may be older than a deletion that arrived before it.
    if (seen.via === 'signal' && context.canAsk) return ask('a delivery names an object that is not stored')
    if (outdated(seen, context)) return ask('a scan that began after this answer is complete')
    return { do: 'replace', why: 'new' }
  }
  const presence = stored.presences.find((each) => each.partitionId === seen.partitionId)
  if (stored.state === 'gone') return decideGone(seen, stored, presence?.span, context)
  if (presence === undefined || presence.ended) return decideAbsent(seen, stored, presence?.span, context)
  return decideContent(seen, stored, context)
}

/**
 * A tombstone is revived only by an observation that began after it. A newer version alone does not do it: the object
 * may have been changed and then removed before the tombstone's proof was made.
 */
function decideGone(
  seen: Observation,
  stored: StoredRecord,
  presence: Span | undefined,
  context: DecideContext,
): Decision {
  if (beganAfter(seen, stored.span) && (presence === undefined || beganAfter(seen, presence))) return revived
  if (!context.canAsk && compareVersions(seen.version, stored.version) === 'newer') return revived
  return ask('it was seen around the time it was found gone')
}

/** Live, but not (or no longer) in this partition: the presence follows the rules of a tombstone, the content its own. */
function decideAbsent(
  seen: Observation,
  stored: StoredRecord,
  tombstone: Span | undefined,
  context: DecideContext,
): Decision {
  const proven =
    seen.via !== 'signal' && !outdated(seen, context) && (tombstone === undefined || beganAfter(seen, tombstone))
  if (!proven && context.canAsk) return ask('it was seen in a partition that it is not known to be in')
  if (!proven && compareVersions(seen.version, stored.version) !== 'newer') {
    return ask('it was seen around the time it left the partition')
  }
  const content = decideContent(seen, stored, context)
  if (content.do === 'unchanged') return { do: 'replace', why: 'presence' }
  return content.do === 'drop' ? ask('an older observation adds a partition') : content
}

function decideContent(seen: Observation, stored: StoredRecord, context: DecideContext): Decision {
  if (seen.hash === stored.hash) {
    const remap = seen.via !== 'signal' && stored.mappingId !== context.mappingId
    return remap ? { do: 'replace', why: 'remap' } : { do: 'unchanged' }
  }
  const order = compareVersions(seen.version, stored.version)
  if (order === 'newer') return { do: 'replace', why: 'newer' }
  const later = seen.via !== 'signal' && beganAfter(seen, stored.span)
  if (later && (seen.via === 'get' || order === 'unknown' || !context.canAsk)) return { do: 'replace', why: 'later' }
  if (seen.via !== 'signal' && seen.span.end <= stored.span.begin) return { do: 'drop' }
  if (order === 'unknown') return ask('two observations overlap and differ')
  return ask(order === 'equal' ? 'it differs at the same version' : 'it differs at an older version')
}

/** Spans of requests that follow each other may share a tick: end of one, begin of the next. */
function beganAfter(seen: Observation, stored: Span): boolean {
  return seen.via !== 'signal' && seen.span.begin >= stored.end
}

function outdated(seen: Observation, context: DecideContext): boolean {
  return seen.via === 'get' && context.completeBegin !== undefined && seen.span.begin < context.completeBegin
}

const revived: Decision = { do: 'replace', why: 'revived' }

function ask(reason: string): Decision {
  return { do: 'ask', reason }
}

/** Of `left` as against `right`. Versions are ASCII by contract, so JavaScript's order is that of the code points. */
export function compareVersions(
  left: Version | undefined,
  right: Version | undefined,
): 'newer' | 'older' | 'equal' | 'unknown' {
  if (left === undefined || right === undefined) return 'unknown'
  if (left === right) return 'equal'
  return left > right ? 'newer' : 'older'
}
