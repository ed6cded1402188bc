import type { ScanRow } from '../catalog/stored.ts'
import { emit, type KindSession, type PartitionSession, type Session } from './session.ts'

/** Counts of one scan, told after each page and each change of state. */
export interface Progress {
  /** Pages that an earlier run of the scan committed. */
  resume(pages: number): void
  page(counts: { readonly items: number; readonly changed: number; readonly failed: number }): void
  say(state: string, more?: { readonly reason?: string; readonly parkedUntil?: number }): void
}

export function startProgress(
  session: Session,
  kind: KindSession,
  partition: PartitionSession,
  scan: ScanRow,
): Progress {
  let [pages, items, changed] = [0, 0, 0]
  const say: Progress['say'] = (state, more = {}) => {
    emit(session, {
      type: 'scan',
      source: session.runtime.name,
      kind: kind.name,
      partition: partition.row.name,
      scan: scan.id,
      state,
      items,
      changed,
      pages,
      ...(scan.expected === undefined ? {} : { expected: scan.expected }),
      ...more,
    })
  }
  return {
    resume(committed) {
      pages = committed
    },
    page(counts) {
      pages += 1
      items += counts.items
      changed += counts.changed
      say('running')
    },
    say,
  }
}
