import type { Mix } from './mix.ts'
import type { Random } from './random.ts'
import {
  type Happening,
  hasBranches,
  itemOf,
  type KindName,
  kindsOf,
  partitionNames,
  type SourceName,
  type Thing,
} from './thing.ts'

/** What may happen, with its weight. `re-create`: another object under the same name; `toggle`: into a second partition or out of it. */
const deeds = {
  create: 6,
  change: 26,
  'change-and-back': 6,
  rename: 10,
  archive: 4,
  delete: 12,
  restore: 18,
  're-create': 6,
  move: 6,
  toggle: 6,
  age: 0,
} as const

/** A branch stays in its repository. */
const branchDeeds: Partial<Record<Deed, number>> = { ...deeds, move: 0, toggle: 0, 're-create': 0 }

/** Objects of a window kind never end: their listing cannot tell. */
const windowDeeds: Partial<Record<Deed, number>> = { create: 6, change: 56, 'change-and-back': 6, rename: 10, age: 22 }

export type Deed = keyof typeof deeds

/** The truth: objects in partitions, and a serial that counts every change of any of them. */
export class World {
  readonly things: Thing[] = []
  serial = 0
  /** Most objects of a kind that ever existed at once. */
  readonly most = new Map<KindName, number>()
  readonly #random: Random
  readonly #mix: Mix
  #keys = 0

  constructor(random: Random, mix: Mix) {
    this.#mix = mix
    this.#random = random
  }

  living(kind: KindName, partition?: string): readonly Thing[] {
    return this.things.filter(
      (each) =>
        each.kind === kind && each.partitions.size > 0 && (partition === undefined || each.partitions.has(partition)),
    )
  }

  find(kind: KindName, key: string): Thing | undefined {
    return this.things.find((each) => each.kind === kind && each.key === key)
  }

  create(source: SourceName, kind: KindName, name = this.#name(kind)): readonly Happening[] {
    const home = kind === 'branch' ? this.#repository() : undefined
    if (kind === 'branch' && home === undefined) return []
    const serial = ++this.serial
    const thing: Thing = {
      source,
      kind,
      key: `${kind}-${++this.#keys}`,
      name,
      stars: this.#random.below(100),
      tier: this.#tier(),
      owner: this.#owner(),
      labels: this.#labels(),
      archived: false,
      weird: '',
      aged: false,
      partitions: new Map([[home ?? this.#partition(), serial]]),
      left: home ?? 'p1',
      born: serial,
      serial,
    }
    if (home === undefined && this.#random.chance(0.2)) thing.partitions.set(this.#partition(), serial)
    this.things.push(thing)
    this.most.set(kind, Math.max(this.most.get(kind) ?? 0, this.living(kind).length))
    return this.#everywhere(thing, 'changed')
  }

  /** Something happens to something. */
  happen(): { readonly what: string; readonly happenings: readonly Happening[] } {
    const random = this.#random
    const kind = random.pick(this.#mix.kinds)
    const source = sourceOf(kind)
    const living = this.living(kind)
    const weights = Object.entries(this.#weights(kind))
    // The names of an object's own members, and weights of more than 1 in all.
    const chosen = random.pickWeighted(weights) as Deed
    if (living.length < 4 || (chosen === 'create' && living.length < 12)) {
      return { what: `create ${kind}`, happenings: this.create(source, kind) }
    }
    const dead = this.things.filter((each) => each.kind === kind && each.partitions.size === 0 && this.#mayBe(each))
    if (chosen === 'restore' && dead.length > 0) {
      // The latest as a rule: what was said about it is still on its way.
      const latest = dead.toSorted((left, right) => right.serial - left.serial)
      const back = random.pick(random.chance(0.7) ? latest.slice(0, 1) : dead)
      return { what: `restore ${back.key}`, happenings: this.restore(back) }
    }
    const thing = living.length === 0 ? undefined : random.pick(living)
    if (thing === undefined) return { what: `no ${kind}`, happenings: [] }
    const deed = chosen === 'create' || chosen === 'restore' ? 'change' : chosen
    return { what: `${deed} ${thing.key}`, happenings: this.#do(deed, thing) }
  }

  #do(deed: Exclude<Deed, 'create' | 'restore'>, thing: Thing): readonly Happening[] {
    switch (deed) {
      case 'change':
        return this.#change(thing)
      case 'change-and-back':
        return this.#changeAndBack(thing)
      case 'rename':
        return this.rename(thing)
      case 'archive':
        return this.archive(thing)
      case 'delete':
        return this.remove(thing)
      case 're-create': {
        const gone = this.remove(thing)
        return [...gone, ...this.create(thing.source, thing.kind, thing.name)]
      }
      case 'move':
        return this.move(thing)
      case 'toggle':
        return this.toggle(thing)
      case 'age':
        return this.age(thing)
    }
  }

  touch(thing: Thing): readonly Happening[] {
    thing.serial = ++this.serial
    return this.#everywhere(thing, 'changed')
  }

  rename(thing: Thing): readonly Happening[] {
    thing.name = this.#name(thing.kind)
    return this.touch(thing)
  }

  archive(thing: Thing): readonly Happening[] {
    thing.archived = !thing.archived
    return this.touch(thing)
  }

  age(thing: Thing): readonly Happening[] {
    thing.aged = !thing.aged
    return this.touch(thing)
  }

  remove(thing: Thing): readonly Happening[] {
    thing.serial = ++this.serial
    const gone = this.#everywhere(thing, 'gone')
    thing.left = [...thing.partitions.keys()][0] ?? thing.left
    thing.partitions.clear()
    // Nobody says a word about what goes with it.
    for (const branch of this.#branchesOf(thing)) {
      branch.serial = thing.serial
      branch.left = thing.key
      branch.partitions.clear()
    }
    return gone
  }

  restore(thing: Thing): readonly Happening[] {
    thing.serial = ++this.serial
    thing.born = thing.serial
    // Mostly where it was: there the word that it is gone may still be on its way.
    const stays = thing.kind === 'branch' || this.#random.chance(0.6)
    thing.partitions.set(stays ? thing.left : this.#random.pick(partitionNames), thing.serial)
    return this.#everywhere(thing, 'changed')
  }

  /** Into this partition, wherever else it is. */
  put(thing: Thing, partition: string): void {
    const home = this.find('repo', partition)
    if (home !== undefined && home.partitions.size === 0) this.put(home, home.left)
    thing.serial = ++this.serial
    if (thing.partitions.size === 0) thing.born = thing.serial
    thing.partitions.set(partition, thing.serial)
  }

  move(thing: Thing): readonly Happening[] {
    thing.serial = ++this.serial
    const gone = this.#everywhere(thing, 'gone')
    const free = partitionNames.filter((name) => !thing.partitions.has(name))
    thing.partitions.clear()
    thing.partitions.set(this.#random.pick(free.length > 0 ? free : partitionNames), thing.serial)
    return [...this.#everywhere(thing, 'changed'), ...gone]
  }

  toggle(thing: Thing): readonly Happening[] {
    thing.serial = ++this.serial
    const partition = this.#random.pick(partitionNames)
    if (!thing.partitions.has(partition)) thing.partitions.set(partition, thing.serial)
    else if (thing.partitions.size > 1) {
      thing.partitions.delete(partition)
      return [...this.#everywhere(thing, 'changed'), this.#happening(thing, partition, 'gone')]
    }
    return this.#everywhere(thing, 'changed')
  }

  #change(thing: Thing): readonly Happening[] {
    const random = this.#random
    const roll = random.below(6)
    if (roll === 0) thing.stars = null
    else if (roll === 1) thing.stars = random.below(100)
    else if (roll === 2) thing.tier = random.chance(0.3) ? null : this.#tier()
    else if (roll === 3) thing.owner = this.#owner()
    else if (roll === 4) thing.labels = this.#labels()
    else thing.weird = thing.weird === '' ? random.pick(['property', 'identifier', 'selector']) : ''
    return this.touch(thing)
  }

  #changeAndBack(thing: Thing): readonly Happening[] {
    const { tier } = thing
    thing.tier = tier === 'flash' ? 'glow' : 'flash'
    const first = this.touch(thing)
    thing.tier = tier
    return [...first, ...this.touch(thing)]
  }

  #everywhere(thing: Thing, what: Happening['what']): readonly Happening[] {
    return [...thing.partitions.keys()].map((partition) => this.#happening(thing, partition, what))
  }

  #happening(thing: Thing, partition: string, what: Happening['what']): Happening {
    return { thing, partition, what, item: itemOf(thing), serial: thing.serial }
  }

  #weights(kind: KindName): Partial<Record<Deed, number>> {
    if (kind === 'incident') return windowDeeds
    return kind === 'branch' ? branchDeeds : { ...deeds, ...this.#mix.deeds }
  }

  /** Key of one that branches may be in. */
  #repository(): string | undefined {
    const able = this.living('repo').filter((each) => hasBranches(each))
    return able.length === 0 ? undefined : this.#random.pick(able).key
  }

  #mayBe({ kind, left }: Thing): boolean {
    return kind !== 'branch' || (this.find('repo', left)?.partitions.size ?? 0) > 0
  }

  #branchesOf({ kind, key }: Thing): readonly Thing[] {
    return kind === 'repo' ? this.living('branch', key) : []
  }

  /** Few, so that objects of both sources meet in one entity, and names are used again. */
  #name(kind: KindName): string {
    return kind === 'team' ? this.#owner() : `n${this.#random.below(this.#mix.names)}`
  }

  /** The first is much the largest, so that a listing can hide more of it than the guard lets go. */
  #partition(): string {
    return this.#random.chance(0.6) ? 'p1' : this.#random.pick(partitionNames)
  }

  #owner(): string {
    return this.#random.pick(['red', 'green', 'blue', 'gold'])
  }

  #tier(): string {
    return this.#random.pick(['one', 'two', 'three'])
  }

  #labels(): readonly string[] {
    return ['x', 'y', 'z'].filter(() => this.#random.chance(0.3))
  }
}

function sourceOf(kind: KindName): SourceName {
  return kindsOf.alpha.some((each) => each === kind) ? 'alpha' : 'beta'
}
