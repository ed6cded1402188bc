import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { OpenHold } from '../catalog/stored.ts'
import type { EntityDraft } from '../model/entity.ts'
import type { MappingOutput } from '../model/mapping.ts'
import type { Problem } from '../model/problem.ts'
import { reconcile, type Said, withHeld } from './reconcile.ts'

function draft(properties: EntityDraft['properties'], change: Partial<EntityDraft> = {}): EntityDraft {
  return {
    blueprint: 'service',
    identifier: 'a',
    title: 'A',
    team: [],
    properties,
    relations: {},
    failed: [],
    ...change,
  }
}

function said(content: EntityDraft, item = '0', mapping = 'm'): Said {
  return { mapping, item, owning: true, draft: content }
}

function selected(...drafts: EntityDraft[]): MappingOutput {
  const items = drafts.map((each, index) => ({ item: `${index}`, draft: each, owning: true }))
  return { mapping: 'm', state: 'selected', drafts: items, quarantined: [] }
}

function problem(field: string): Problem {
  return { code: 'expression_failed', mapping: 'm', field, expression: '.x', message: 'no' }
}

function held(what: string, state: OpenHold['state'] = 'pending'): OpenHold {
  return { what, partitionId: undefined, state }
}

describe('reconcile', () => {
  it('keeps the last good value of every field that failed, with its mark', () => {
    const failed = ['title', 'team', 'properties.a', 'relations.r'].map((field) => problem(field))
    const before = draft({ a: 1, b: 2 }, { team: ['t'], relations: { r: 'x' } })
    const now = draft({ b: 3 }, { title: null, failed })
    const { drafts, takes } = reconcile([said(before)], [selected(now)])
    expect(drafts[0]?.draft).toEqual(draft({ a: 1, b: 3 }, { title: 'A', team: ['t'], relations: { r: 'x' }, failed }))
    expect(takes).toEqual([])
  })

  it('leaves a field that failed at first sight absent and marked', () => {
    const now = draft({}, { failed: [problem('properties.a')] })
    expect(reconcile([], [selected(now)]).drafts[0]?.draft).toEqual(now)
  })

  it('keeps what a spread gave when the spread fails', () => {
    const now = draft({ b: 1 }, { failed: [problem('properties.*')] })
    expect(reconcile([said(draft({ a: 1, b: 2 }))], [selected(now)]).drafts[0]?.draft.properties).toEqual({
      a: 1,
      b: 1,
    })
  })

  it('withdraws nothing of a mapping or an item that is quarantined', () => {
    const before = [said(draft({ a: 1 })), said(draft({ a: 2 }), '1')]
    const whole = reconcile(before, [{ mapping: 'm', state: 'quarantined', problem: problem('selector') }])
    expect(whole.drafts).toEqual(before)
    expect(whole.quarantined).toEqual([{ mapping: 'm', item: '', problem: problem('selector') }])
    const one: MappingOutput = {
      mapping: 'm',
      state: 'selected',
      drafts: [{ item: '0', draft: draft({ a: 3 }), owning: true }],
      quarantined: [{ item: '1', problem: problem('identifier') }],
    }
    expect(reconcile(before, [one]).drafts.map((each) => each.draft.properties)).toEqual([{ a: 3 }, { a: 2 }])
  })

  it('withdraws what is deselected, no longer an item, or of a mapping that is gone, and counts it', () => {
    const before = [said(draft({})), said(draft({}), '1'), said(draft({}), '0', 'old')]
    const flipped = reconcile(before, [{ mapping: 'm', state: 'deselected', expression: 'false' }])
    expect(flipped.drafts).toEqual([])
    expect(flipped.takes.map((take) => take.what)).toEqual([
      'contribution m/0',
      'contribution m/1',
      'contribution old/0',
    ])
    expect(reconcile(before, [selected(draft({}))]).takes).toHaveLength(2)
  })

  it('counts a value that turns null or vanishes, and puts it back when it is held', () => {
    const before = draft({ a: 1, b: 2, c: null })
    const { drafts, takes } = reconcile([said(before)], [selected(draft({ a: null }))])
    expect(takes.map((take) => take.what)).toEqual(['property m/0/a', 'property m/0/b'])
    expect(withHeld(drafts, takes)[0]?.draft.properties).toEqual({ a: 1, b: 2 })
    expect(withHeld(drafts, [])[0]?.draft.properties).toEqual({ a: null })
  })

  it('does not hold or count again what is held or rejected', () => {
    for (const state of ['pending', 'rejected'] as const) {
      const before = [said(draft({ a: 1 })), said(draft({}), '1')]
      const holds = [held('property m/0/a', state), held('contribution m/1', state)]
      const { drafts, takes, settled } = reconcile(before, [selected(draft({}))], holds)
      expect(drafts).toEqual(before)
      expect([takes, settled]).toEqual([[], []])
    }
  })

  it('carries out what is approved', () => {
    const before = [said(draft({ a: 1 })), said(draft({}), '1')]
    const holds = [held('property m/0/a', 'approved'), held('contribution m/1', 'approved')]
    const { drafts, takes, settled } = reconcile(before, [selected(draft({}))], holds)
    expect(drafts).toEqual([said(draft({}))])
    expect(takes).toEqual([])
    expect(settled).toEqual([
      { what: 'property m/0/a', state: 'released' },
      { what: 'contribution m/1', state: 'released' },
    ])
  })

  it('answers holds that keep nothing any more', () => {
    const failed = draft({}, { failed: [problem('properties.a')] })
    const approved = reconcile([said(draft({ a: 1 }))], [selected(failed)], [held('property m/0/a', 'approved')])
    expect(approved.drafts[0]?.draft.properties).toEqual({ a: 1 })
    expect(approved.settled).toEqual([{ what: 'property m/0/a', state: 'released' }])
    const pending = reconcile([said(draft({ a: 1 }))], [selected(failed)], [held('property m/0/a')])
    expect(pending.settled).toEqual([])
    const flipped: MappingOutput = { mapping: 'm', state: 'deselected', expression: 'false' }
    const left = reconcile([said(draft({ a: 1 }))], [flipped], [held('property m/0/a')])
    expect(left.settled).toEqual([{ what: 'property m/0/a', state: 'dissolved' }])
  })

  it('dissolves a hold on what is said again', () => {
    const holds = [held('property m/0/a'), held('contribution m/0', 'rejected')]
    const { settled } = reconcile([said(draft({ a: 1 }))], [selected(draft({ a: 2 }))], holds)
    expect(settled).toEqual([
      { what: 'contribution m/0', state: 'dissolved' },
      { what: 'property m/0/a', state: 'dissolved' },
    ])
  })

  it('compares the items of a list by name, since removing one renumbers the others', () => {
    const before = [
      said(draft({ a: 1 }, { identifier: 'x' }), '0.0'),
      said(draft({ a: 2 }, { identifier: 'y' }), '0.1'),
    ]
    const output: MappingOutput = {
      mapping: 'm',
      state: 'selected',
      drafts: [{ item: '0.0', owning: true, draft: draft({}, { identifier: 'y', failed: [problem('properties.a')] }) }],
      quarantined: [],
    }
    expect(reconcile(before, [output]).drafts[0]?.draft.properties).toEqual({ a: 2 })
  })

  it('is at rest after one step: the same outputs again take nothing and change nothing', () => {
    const value = fc.option(fc.constantFrom(1, 'x', true), { nil: null })
    const properties = fc.dictionary(fc.constantFrom('a', 'b', '__proto__'), value)
    const content = fc.record({ properties, failed: fc.subarray(['properties.a', 'title', 'properties.*']) })
    const anyDraft = content.map((each) =>
      draft(each.properties, { failed: each.failed.map((field) => problem(field)) }),
    )
    const output = fc.oneof(
      fc.array(anyDraft, { maxLength: 2 }).map((drafts) => selected(...drafts)),
      fc.constant<MappingOutput>({ mapping: 'm', state: 'deselected', expression: 'false' }),
      fc.constant<MappingOutput>({ mapping: 'm', state: 'quarantined', problem: problem('selector') }),
    )
    fc.assert(
      fc.property(fc.array(anyDraft, { maxLength: 2 }), output, fc.boolean(), (before, now, holdAll) => {
        const previous = before.map((each, index) => said(each, `${index}`))
        const first = reconcile(previous, [now])
        const kept = holdAll ? first.takes : []
        const drafts = withHeld(first.drafts, kept)
        const second = reconcile(
          drafts,
          [now],
          kept.map((take) => held(take.what)),
        )
        expect(second.takes).toEqual([])
        expect(second.settled).toEqual([])
        expect(new Set(second.drafts.map((each) => JSON.stringify(each)))).toEqual(
          new Set(drafts.map((each) => JSON.stringify(each))),
        )
        if (holdAll) for (const each of previous) expect(drafts.some((kept) => kept.item === each.item)).toBe(true)
      }),
      { numRuns: 2000 },
    )
  })
})
