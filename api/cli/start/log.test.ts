import { setImmediate as soon } from 'node:timers/promises'
import { expect, test } from 'vitest'
import type { ScanView } from '../../../core/catalog/query/scans.ts'
import { Progress, summary } from '../progress.ts'
import { openLog } from './log.ts'

/** What the code uses of a stream of the process. */
function screen(isTTY: boolean): { out: NodeJS.WriteStream; written: () => string } {
  let written = ''
  const write = (text: string): boolean => {
    written += text
    return true
  }
  return { out: { isTTY, columns: 60, write } as unknown as NodeJS.WriteStream, written: () => written }
}

const scan: ScanView = {
  id: '7',
  source: 'github',
  kind: 'repository',
  partition: 'acme',
  state: 'complete',
  reason: null,
  startedAt: '2026-11-28T12:00:00.000Z',
  endedAt: '2026-11-28T12:00:04.000Z',
  parkedUntil: null,
  pages: 2,
  notModified: 0,
  calls: 3,
  quota: 2,
  items: 50,
  changed: 5,
  failed: 0,
  removed: 1,
  held: 0,
  expected: null,
  progress: null,
}

const running = {
  type: 'scan',
  source: 'github',
  kind: 'repository',
  partition: 'acme',
  scan: 7n,
  state: 'running',
  items: 20,
  changed: 5,
  pages: 1,
  expected: 50,
} as const

test('the end of a scan is one line with what it did and cost', () => {
  expect(summary(scan)).toBe(
    'github repository acme  complete  50 items, 5 changed, 1 removed, 3 calls (2 of the quota), 4 s',
  )
  expect(summary({ ...scan, state: 'incomplete', reason: 'it broke off', failed: 2, held: 3 })).toBe(
    'github repository acme  incomplete  50 items, 5 changed, 1 removed, 2 failed, 3 held, 3 calls (2 of the quota), 4 s: it broke off',
  )
})

test('what is said stands above the progress, which is drawn again', () => {
  const { out, written } = screen(true)
  const progress = new Progress(out, () => 0)
  progress.onEvent(running)
  progress.say('Something else')
  // The line is erased, the text has a line of its own, and the progress is the last line again.
  const erase = '\r\u001b[K'
  const [first, between, last] = written().split(erase).slice(1)
  expect(between).toBe('Something else\n')
  expect(first).toContain('github repository acme  20/50')
  expect(last).toBe(first)
  progress.onEvent({ ...running, state: 'complete' })
  progress.onScanned(scan)
  expect(written().endsWith(`\r\u001b[K${summary(scan)}\n`)).toBe(true)
})

test('on a terminal the log is for people and goes through the progress; else it is JSON on standard output', async () => {
  for (const terminal of [true, false]) {
    const { out, written } = screen(terminal)
    const said: string[] = []
    const log = openLog({ level: undefined, secrets: [], out, progress: { say: (text) => void said.push(text) } })
    log.info({ items: 3 }, 'Scan ended')
    log.warn({ source: 'github' }, 'Something is odd')
    await soon()
    await soon()
    if (terminal) {
      expect(written()).toBe('')
      expect(said.join('\n')).toContain('Something is odd')
      expect(said.join('\n')).not.toContain('Scan ended')
      expect(said.every((text) => !text.startsWith('{'))).toBe(true)
    } else {
      const lines = written().trim().split('\n')
      expect(lines.map((line): unknown => JSON.parse(line))).toMatchObject([
        { level: 'info', msg: 'Scan ended', items: 3 },
        { level: 'warn', msg: 'Something is odd', source: 'github' },
      ])
      expect(said).toEqual([])
    }
  }
})
