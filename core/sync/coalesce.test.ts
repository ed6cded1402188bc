import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Signal } from '../sdk/index.ts'
import { coalesce } from './coalesce.ts'

function body(version: string, content = version): Signal {
  return { type: 'stale', kind: 'k', key: '1', partition: 'p', whole: true, version, body: { content } }
}
const bare: Signal = { type: 'stale', kind: 'k', key: '1', partition: 'p', locator: { name: 'n' } }
function gone(version?: string): Signal {
  return { type: 'gone', kind: 'k', key: '1', partition: 'p', ...(version === undefined ? {} : { version }) }
}

function word(...signals: Signal[]) {
  return coalesce(signals.map((signal, delivery) => ({ delivery, signals: [signal] }))).subjects[0]?.word
}

function rotated(signals: Signal[]): Signal[] {
  return [...signals.slice(1), ...signals.slice(0, 1)]
}

describe('coalesce', () => {
  it('lets the newest version speak, whatever the order', () => {
    expect(word(body('1'), body('3'), body('2'))).toMatchObject({ type: 'body', version: '3', from: 1 })
    expect(word(gone('4'), body('3'))).toMatchObject({ type: 'gone', version: '4' })
    expect(word(gone('2'), body('3'))).toMatchObject({ type: 'body', version: '3' })
  })

  it('asks where a signal has no version, is not whole, or contradicts another of its version', () => {
    expect(word(body('1'), bare)).toMatchObject({ type: 'ask', signed: false })
    expect(word(body('9'), gone())).toMatchObject({ type: 'ask', signed: true })
    expect(word(body('1', 'x'), body('1', 'y'))).toMatchObject({ type: 'ask' })
    expect(word({ ...body('1'), whole: false } as Signal)).toMatchObject({ type: 'ask' })
    expect(word(body('1'), gone('1'))).toMatchObject({ type: 'ask', signed: true })
  })

  it('keeps keys, kinds and partitions apart, and names the deliveries of each', () => {
    const { subjects, resyncs } = coalesce([
      { delivery: 0, signals: [bare, { ...bare, partition: 'q' }, { type: 'resync', kind: 'k' }] },
      { delivery: 1, signals: [bare, { ...bare, key: '2' }, { ...bare, kind: 'l' }, { type: 'resync', kind: 'k' }] },
    ])
    expect(subjects.map((each) => [each.kind, each.key, each.partition, each.named])).toEqual([
      ['k', '1', 'p', [0, 1]],
      ['k', '1', 'q', [0]],
      ['k', '2', 'p', [1]],
      ['l', '1', 'p', [1]],
    ])
    expect(resyncs).toEqual(['k'])
    expect(subjects[0]?.locator).toEqual({ name: 'n' })
  })

  it('does not depend on the order of deliveries', () => {
    const signal = fc.oneof(
      fc.constantFrom('1', '2', '3').chain((version) => fc.constantFrom(body(version), gone(version))),
      fc.constantFrom(bare, gone()),
    )
    fc.assert(
      fc.property(fc.array(signal, { minLength: 1, maxLength: 6 }), (signals) => {
        const said = (list: Signal[]) => {
          const answer = word(...list)
          if (answer?.type === 'ask') return `ask ${answer.signed}`
          return JSON.stringify([answer?.type, answer?.version])
        }
        const answers = new Set([said(signals), said(signals.toReversed()), said(rotated(signals))])
        // Which contradiction is met first may differ, never whether the source is asked.
        expect(answers.size).toBe(1)
      }),
      { numRuns: 2000 },
    )
  })
})
