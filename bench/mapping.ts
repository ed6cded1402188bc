import { deepStrictEqual } from 'node:assert'
import { spawnSync } from 'node:child_process'
import { registerHooks } from 'node:module'
import * as engine from '../core/mapping/jq/index.ts'
import type { Json } from '../core/model/json.ts'
import { type Bench, median } from './harness.ts'
import { type Shape, shapes } from './mapping-shapes.ts'

type Mapping = (item: Json) => Readonly<Record<string, Json>>

/** How fast mapping is beside parsing, beside the same mapping written by hand, and beside jq itself. */
export const mapping: Bench = {
  title: 'parsing and mapping against JSON.parse alone, hand-written JavaScript and jq (worst of four kinds of items)',
  defaults: { n: 300, seconds: 1 },
  async run({ n, seconds }, say) {
    const unmetered = await import(new URL('../core/mapping/jq/index.ts?unmetered', import.meta.url).href)
    const results: Record<string, Measured> = {}
    for (const shape of shapes) {
      const items = Array.from({ length: n }, (_each, at) => shape.item(at))
      const texts = items.map((item) => JSON.stringify(item))
      const parsed = texts.map((text): Json => JSON.parse(text))
      const program = mappingOf(shape, engine)
      // The copy has the same exports.
      const free = mappingOf(shape, unmetered as typeof engine)
      // Written for items of this shape and no other.
      const byHand = shape.byHand as unknown as Mapping
      for (const item of parsed) deepStrictEqual(program(item), byHand(item), `${shape.name} differs from by hand`)
      const ours = {
        parse: () => texts.forEach((text) => JSON.parse(text)),
        'parse and map': () => texts.forEach((text) => program(JSON.parse(text))),
        map: () => parsed.forEach((item) => program(item)),
        'map without budget': () => parsed.forEach((item) => free(item)),
        'by hand': () => parsed.forEach((item) => byHand(item)),
      }
      const rounds = rates(ours, n, seconds, () => nativeRate(shape, texts, seconds))
      const names = Object.keys(rounds[0] ?? {})
      const measured = Object.fromEntries(names.map((name) => [name, median(rounds.map((round) => round[name] ?? 0))]))
      for (const [name, rate] of Object.entries(measured)) {
        say(`${shape.name}: ${name}  ${Math.round(rate).toLocaleString('en')}`)
      }
      results[shape.name] = summarize(measured, texts)
    }
    const worst = Object.values(results).reduce((a, b) => (b.share < a.share ? b : a))
    return {
      value: worst.parseAndMap,
      unit: 'items/s',
      baseline: { name: 'JSON.parse alone', value: worst.parse, unit: 'items/s' },
      shapes: results,
      byHandFactor: Math.max(...Object.values(results).map(({ byHandFactor }) => byHandFactor)),
      timesJq: Math.min(...Object.values(results).map(({ timesJq }) => timesJq)),
      budgetOverhead: Math.max(...Object.values(results).map(({ budgetOverhead }) => budgetOverhead)),
    }
  },
}

interface Measured {
  readonly bytes: number
  readonly parse: number
  readonly parseAndMap: number
  readonly map: number
  readonly byHand: number
  readonly jq: number
  readonly share: number
  readonly byHandFactor: number
  readonly timesJq: number
  readonly budgetOverhead: number
}

function summarize(measured: { readonly [name: string]: number }, texts: readonly string[]): Measured {
  const get = (name: string): number => Math.round(measured[name] ?? 0)
  const fixed = (value: number): number => Number(value.toFixed(3))
  return {
    bytes: Math.round(texts.reduce((sum, text) => sum + text.length, 0) / texts.length),
    parse: get('parse'),
    parseAndMap: get('parse and map'),
    map: get('map'),
    byHand: get('by hand'),
    jq: get('jq'),
    share: fixed(get('parse and map') / get('parse')),
    byHandFactor: fixed(get('by hand') / get('map')),
    timesJq: fixed(get('parse and map') / get('jq')),
    budgetOverhead: fixed(get('map without budget') / get('map') - 1),
  }
}

/** What applying a mapping file does: its expressions share what they have in common. */
function mappingOf(shape: Shape, { compile, shareAmong, objectMaker }: typeof engine): Mapping {
  const make = objectMaker<Json>(Object.keys(shape.expressions))
  const programs = Object.values(shape.expressions).map((text) => compile(text))
  const sharing = shareAmong(programs)
  return (item) => {
    const values: Json[] = []
    sharing.turn()
    for (const program of programs) values.push(program.first(item) ?? null)
    return make(values)
  }
}

const rounds = 3
const slices = 10

/**
 * Items per second of processor time, which a busy machine disturbs less than the time of day. All works take turns in
 * slices of some milliseconds, so that what slows the machine down for a moment meets each of them.
 */
function rates(
  works: Readonly<Record<string, () => void>>,
  items: number,
  seconds: number,
  jq: () => number,
): Record<string, number>[] {
  const measured: Record<string, number>[] = []
  for (let round = 0; round <= rounds; round++) {
    const spent = new Map(Object.keys(works).map((name) => [name, { turns: 0, time: 0 }]))
    for (let slice = 0; slice < slices; slice++) {
      for (const [name, work] of Object.entries(works)) run(work, seconds / slices, spent.get(name))
    }
    // The first round is to warm up.
    if (round === 0) continue
    const rate = [...spent].map(([name, { turns, time }]) => [name, (turns * items) / time])
    measured.push({ ...Object.fromEntries(rate), jq: jq() })
  }
  return measured
}

function run(work: () => void, seconds: number, spent: { turns: number; time: number } | undefined): void {
  const start = processorTime()
  let turns = 0
  let time = 0
  do {
    work()
    turns++
    time = processorTime() - start
  } while (time < seconds)
  if (spent === undefined) return
  spent.turns += turns
  spent.time += time
}

function processorTime(): number {
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1e6
}

/** The whole mapping as one program of the jq on this machine; zero where there is none. Without the time to start. */
function nativeRate(shape: Shape, texts: readonly string[], seconds: number): number {
  const program = `{${Object.entries(shape.expressions)
    .map(([name, text]) => `${name}: (${text})`)
    .join(', ')}}`
  const time = (lines: readonly string[]): number => {
    // The shell knows the processor time of its children, which is what the other parts are measured in.
    const { status, stdout } = spawnSync('sh', ['-c', 'jq -c "$0" > /dev/null && times', program], {
      input: lines.join('\n'),
      encoding: 'utf8',
    })
    const times = stdout?.split('\n')[1]?.matchAll(/(\d+)m([\d.]+)s/g) ?? []
    const spent = [...times].reduce((sum, [, minutes, rest]) => sum + Number(minutes) * 60 + Number(rest), 0)
    return status === 0 ? spent : Number.NaN
  }
  const idle = time(texts.slice(0, 1))
  const turns = Math.max(1, Math.round(seconds * 4))
  const taken = time(Array.from({ length: turns }, () => texts).flat()) - idle
  return Number.isNaN(taken) ? 0 : (turns * texts.length) / taken
}

/** A second copy of the engine, in which counting steps does nothing: what the budget costs is the difference. */
registerHooks({
  resolve(specifier, context, next) {
    const resolved = next(specifier, context)
    const wanted = specifier.endsWith('?unmetered') || (context.parentURL?.endsWith('?unmetered') ?? false)
    if (!wanted || !resolved.url.startsWith('file:') || resolved.url.endsWith('?unmetered')) return resolved
    return { ...resolved, url: `${resolved.url}?unmetered` }
  },
  load(url, context, next) {
    const loaded = next(url, context)
    if (!url.endsWith('/budget.ts?unmetered') || loaded.source === null || loaded.source === undefined) return loaded
    const text = typeof loaded.source === 'string' ? loaded.source : new TextDecoder().decode(loaded.source)
    const source = text.replace(
      /export function steps?\([^]*?\n\}/g,
      (body) => `${body.slice(0, body.indexOf('{') + 1)}}`,
    )
    return { ...loaded, source }
  },
})
