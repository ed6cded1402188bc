import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { difference } from '../catalog/document.ts'
import { documentFrom, type StoredDocument } from '../catalog/entities.ts'
import type { Counts } from '../catalog/planned.ts'
import { getPlan, planProgress } from '../catalog/plans.ts'
import { MappingMoved } from '../catalog/refusals.ts'
import type { EntityDraft } from '../model/entity.ts'
import type { MappingOutput } from '../model/mapping.ts'
import type { Json, JsonObject } from '../sdk/index.ts'
import type { Engine, MappingContent, SourceRuntime, Version } from '../sync/engine.ts'
import { settleInbox } from '../sync/inbox.ts'
import { remap } from '../sync/remap.ts'
import { runScan } from '../sync/scan.ts'
import { createRig, type Rig } from '../sync/testing/rig.ts'
import { TestSource } from '../sync/testing/source.ts'
import { patience } from '../testkit/patience.ts'
import { createPlans, type Plans } from './plans.ts'

/** A mapping as small as it can be and still do everything that a change of one may do. */
interface Rules {
  /** A property of every service. */
  readonly version: string
  /** Numbers of things that are not selected. */
  readonly without: readonly number[]
  /** Numbers of things that are called otherwise; several may end up under one name. */
  readonly renamed: Readonly<Record<string, string>>
  /** Whether services have their colour, have none, or the expression fails. */
  readonly color: 'kept' | 'null' | 'fails'
  /** Whether the selector fails for things of this number. */
  readonly broken: number
  /** Whether each colour is an entity of its own, that all things of the colour speak of. */
  readonly groups: 'none' | 'plain' | 'versioned'
  /** How many owners services refer to, and whether those that are missing are made. */
  readonly owners: 0 | 2 | 3
  readonly missing: boolean
}

const content = (rules: Rules, searchable: readonly string[]): MappingContent => ({
  file: 'test.yaml',
  mapping: JSON.stringify(rules),
  blueprints: [
    {
      identifier: 'service',
      title: 'Service',
      schema: { properties: {} },
      relations: { owner: { target: 'group' } },
      searchable,
    },
  ],
  variables: {},
})

function compile({ mapping, blueprints }: MappingContent): Version {
  // Written by `content`.
  const rules = JSON.parse(mapping) as Rules
  return {
    mappings: {
      hash: `${mapping} ${JSON.stringify(blueprints)}`,
      kinds: ['thing'],
      // Things are objects.
      apply: (_kind, body) => outputs(rules, body as JsonObject),
      ...(rules.missing ? { wants } : {}),
    },
    usable: true,
    problems: [],
    fetches: {},
  }
}

function outputs(rules: Rules, body: JsonObject): readonly MappingOutput[] {
  const number = Number(text(body['id']).slice(1))
  const failure = (field: string) =>
    ({ code: 'expression_failed', mapping: 'm', field, expression: '.x', message: 'no' }) as const
  const group = (): MappingOutput => {
    if (rules.groups === 'none') return { mapping: 'g', state: 'deselected', expression: 'false' }
    const said = rules.groups === 'versioned' ? { by: `${rules.version} ${number % 2}` } : {}
    const draft = draftOf('group', `of-${text(body['color'])}`, said)
    return { mapping: 'g', state: 'selected', drafts: [{ item: '0', owning: true, draft }], quarantined: [] }
  }
  if (number === rules.broken) return [{ mapping: 'm', state: 'quarantined', problem: failure('selector') }, group()]
  if (rules.without.includes(number)) return [{ mapping: 'm', state: 'deselected', expression: 'false' }, group()]
  const color = rules.color === 'kept' ? (body['color'] ?? null) : null
  const plain = draftOf('service', rules.renamed[number] ?? text(body['name']), { version: rules.version, color })
  const draft = rules.owners === 0 ? plain : { ...plain, relations: { owner: `of-${number % rules.owners}` } }
  const marked = rules.color === 'fails' ? { ...draft, failed: [failure('properties.color')] } : draft
  return [
    { mapping: 'm', state: 'selected', drafts: [{ item: '0', owning: true, draft: marked }], quarantined: [] },
    group(),
  ]
}

function wants({ relations }: EntityDraft): readonly { blueprint: string; identifier: string }[] {
  const { owner } = relations
  return typeof owner === 'string' ? [{ blueprint: 'group', identifier: owner }] : []
}

function text(value: Json | undefined): string {
  return typeof value === 'string' ? value : JSON.stringify(value ?? null)
}

function draftOf(blueprint: string, identifier: string, properties: Readonly<Record<string, Json>>): EntityDraft {
  return { blueprint, identifier, title: identifier, team: [], properties, relations: {}, failed: [] }
}

const things = 12
const numbers = fc.nat(things)
const rules: fc.Arbitrary<Rules> = fc.record({
  version: fc.constantFrom('1', '2'),
  without: fc.uniqueArray(numbers, { maxLength: 6 }),
  renamed: fc.dictionary(numbers.map(String), fc.constantFrom('one', 'two', 'name-n003'), { maxKeys: 3 }),
  color: fc.constantFrom('kept', 'kept', 'null', 'fails'),
  broken: fc.nat(things * 3),
  groups: fc.constantFrom('none', 'plain', 'versioned'),
  owners: fc.constantFrom(0, 2, 3),
  missing: fc.boolean(),
})
const step = fc.record({
  rules,
  searchable: fc.constantFrom([], ['version']),
  /** What happens at the source between two plans. */
  recolored: fc.uniqueArray(numbers, { maxLength: 3 }),
})
const first: Rules = {
  version: '1',
  without: [],
  renamed: {},
  color: 'kept',
  broken: 99,
  groups: 'plain',
  owners: 0,
  missing: false,
}

async function open(): Promise<{ rig: Rig; plans: Plans; files: { now: MappingContent } }> {
  const files = { now: content(first, []) }
  const runtime: Partial<SourceRuntime> = {
    mappings: compile(files.now).mappings,
    mappingContent: files.now,
    versions: { compile, files: () => files.now },
  }
  const rig = await createRig((clock) => new TestSource({ pageSize: 5 }, clock), { runtime })
  rig.source.fill(things)
  for (let n = 0; n < things; n++) rig.source.put(idOf(n), { color: n % 3 === 0 ? '0' : 'blue' })
  await runScan(await rig.session(), 'thing')
  const engine: Pick<Engine, 'sources' | 'wake'> = { sources: [rig.runtime()], wake: () => undefined }
  // Nothing else of it is used.
  return { rig, plans: createPlans({ db: rig.db, engine: engine as Engine, ports: rig.ports() }), files }
}

const idOf = (number: number): string => `n${String(number).padStart(3, '0')}`

interface Entity {
  readonly blueprint: string
  readonly identifier: string
  readonly document: ReturnType<typeof documentFrom>
}

async function catalog(rig: Rig): Promise<ReadonlyMap<string, Entity>> {
  const rows = await rig.query<StoredDocument & { id: string; blueprint: string; identifier: string }>(
    'SELECT id, blueprint, identifier, title, team, properties, relations, failed FROM entities WHERE deleted IS NULL AND NOT stub',
  )
  return new Map(
    rows.map((row) => [row.id, { blueprint: row.blueprint, identifier: row.identifier, document: documentFrom(row) }]),
  )
}

/** What became of the entities, and what was said of them as far as a plan can say it. */
function effect(before: ReadonlyMap<string, Entity>, after: ReadonlyMap<string, Entity>) {
  const counts = { creates: 0, changes: 0, renames: 0, withdrawals: 0 } satisfies Counts
  const fields: Record<string, number> = {}
  const diffs: Record<string, Json> = {}
  for (const id of new Set([...before.keys(), ...after.keys()])) {
    const [old, now] = [before.get(id), after.get(id)]
    if (old === undefined) counts.creates += 1
    else if (now === undefined) counts.withdrawals += 1
    else {
      const name = old.identifier === now.identifier ? {} : { identifier: [old.identifier, now.identifier] as const }
      const diff = { ...name, ...difference(old.document, now.document) }
      if (Object.keys(diff).length === 0) continue
      if ('identifier' in diff) counts.renames += 1
      else counts.changes += 1
      for (const field of Object.keys(diff)) {
        const key = `${now.blueprint} ${field}`
        fields[key] = (fields[key] ?? 0) + 1
      }
      diffs[`${old.blueprint}:${old.identifier}`] = JSON.parse(JSON.stringify(diff)) as Json
    }
  }
  return { counts, fields, diffs }
}

/** Plans what the files say, applies it, and holds the one against the other. `spoil`: a defect of the plan. */
async function planAndApply(rig: Rig, plans: Plans, spoil?: (id: bigint) => Promise<unknown>): Promise<void> {
  const made = await plans.create({ source: 'test' }, 'ann')
  await made.done
  const { id, summary } = await getPlan(rig.db, made.id)
  if (summary === undefined) throw new Error('the plan could not be made')
  await spoil?.(id)
  const held = new Set(await rig.holds())
  const [before, said] = [await catalog(rig), await contributions(rig)]
  const applying = await plans.apply(made.id, 'ann')
  await applying.done
  await remap(await rig.session())
  const applied = await getPlan(rig.db, made.id)
  expect(applied.state).toBe('applied')

  const real = effect(before, await catalog(rig))
  const { feed, ...counts } = summary.counts
  expect(counts).toEqual(real.counts)
  const fields = summary.blueprints.flatMap((each) =>
    each.fields.map(({ field, count }) => [`${each.blueprint} ${field}`, count] as const),
  )
  expect(Object.fromEntries(fields)).toEqual(real.fields)
  for (const { reference, operation, diff } of summary.blueprints.flatMap(({ samples }) => samples)) {
    if (operation === 'change' || operation === 'rename') expect(diff, reference).toEqual(real.diffs[reference])
  }
  const progress = await planProgress(rig.db, applied)
  const lines = Object.values(progress?.done ?? {}).reduce((sum, each) => sum + each, 0)
  expect(lines).toBe(feed)
  const fresh = (await rig.holds()).filter((hold) => !held.has(hold) && hold.endsWith(' pending'))
  expect(fresh).toHaveLength(summary.held.count)

  const planned = await rig.query<{ key: string; what: string }>(
    'SELECT r.key, p.what FROM plan_withdrawals p JOIN records r ON r.id = p.record_id WHERE p.plan_id = $1',
    [id],
  )
  const now = new Set(await contributions(rig))
  const kept = (await rig.holds()).flatMap((hold) => (hold.endsWith(' pending') ? [hold.replace(/ pending$/, '')] : []))
  const taken = [...said.filter((each) => !now.has(each)), ...kept.filter((hold) => hold.includes(' contribution '))]
  expect(new Set(planned.map(({ key, what }) => `${key} ${what}`))).toEqual(new Set(taken))
}

async function contributions(rig: Rig): Promise<readonly string[]> {
  const rows = await rig.query<{ said: string }>(
    `SELECT r.key || ' contribution ' || c.mapping || '/' || c.item AS said FROM contributions c JOIN records r ON r.id = c.record_id`,
  )
  return rows.map(({ said }) => said)
}

describe('a plan', () => {
  it('shows exactly what its apply does', async () => {
    const time = patience(10_000)
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 3, maxLength: 5 }),
        time.for(async (steps) => {
          const { rig, plans, files } = await open()
          try {
            for (const { rules: changed, searchable, recolored } of steps) {
              for (const n of recolored) rig.source.put(idOf(n), { color: 'green' })
              if (recolored.length > 0) await runScan(await rig.session(), 'thing')
              // A day later the guard counts anew.
              rig.clock.time += 25 * 3600_000
              files.now = content(changed, searchable)
              await planAndApply(rig, plans)
            }
          } finally {
            await plans.close()
            await rig.drop()
          }
        }),
      ),
      { numRuns: 10 },
    )
  }, 180_000)

  it('that ignores one withdrawal is caught', async () => {
    const { rig, plans, files } = await open()
    files.now = content({ ...first, without: [1, 2] }, [])
    const ignore = (id: bigint) =>
      rig.query(`DELETE FROM plan_withdrawals WHERE plan_id = $1 AND identifier = 'name-n002'`, [id])
    await expect(planAndApply(rig, plans, ignore)).rejects.toThrow('to deeply equal')
    await plans.close()
    await rig.drop()
  })
})

describe('what comes while a plan is carried out', () => {
  it('is written by the active version only, and nothing of it is lost', async () => {
    const { rig, plans, files } = await open()
    const old = await rig.session()
    files.now = content({ ...first, version: '2' }, [])
    const made = await plans.create({ source: 'test' }, 'ann')
    await made.done
    rig.source.put('n001', { color: 'black' })
    await rig.deliver({ type: 'stale', kind: 'thing', key: 'n001', partition: 'north' })
    await (await plans.apply(made.id, 'ann')).done
    // The version moved under a session that still maps by the other one: neither its scan nor its deliveries are written.
    await expect(runScan(old, 'thing')).rejects.toThrow(MappingMoved)
    await expect(settleInbox(old)).rejects.toThrow(MappingMoved)

    const session = await rig.session()
    const [, count] = await Promise.all([rig.settle(session), remap(session), runScan(session, 'thing')])
    expect(count).toBeLessThanOrEqual(things)
    const services = [...(await catalog(rig)).values()].filter(({ blueprint }) => blueprint === 'service')
    expect(services).toHaveLength(things)
    for (const { document } of services) expect(document.properties['version']).toBe('2')
    expect((await rig.catalog())['name-n001']).toBe('black')
    expect((await getPlan(rig.db, made.id)).state).toBe('applied')
    await plans.close()
    await rig.drop()
  })
})
