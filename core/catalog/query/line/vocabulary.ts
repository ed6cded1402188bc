import { nearest } from '../../../mapping/jq/suggest.ts'
import type { Blueprint } from '../../../model/blueprint.ts'
import type { Queryable } from '../../db.ts'
import { lineError, type Node, type Place } from './parse.ts'

/** What a name of the line stands for. */
export type Subject =
  | { readonly of: 'blueprint' | 'identifier' | 'title' | 'team' | 'source' | 'has' | 'is' | 'sort' }
  | { readonly of: 'time'; readonly column: 'created_at' | 'updated_at' }
  | {
      readonly of: 'property'
      readonly path: readonly string[]
      /** Where all blueprints that have it agree. */
      readonly type?: string
      readonly time: boolean
    }
  | { readonly of: 'relation'; readonly relation: string; readonly targets: readonly string[] }
  | { readonly of: 'hop'; readonly relation: string; readonly subject: Subject }
  /** The entity of that blueprint itself. */
  | { readonly of: 'entity'; readonly blueprint: string }

const fixed: Readonly<Record<string, Subject>> = {
  blueprint: { of: 'blueprint' },
  identifier: { of: 'identifier' },
  title: { of: 'title' },
  team: { of: 'team' },
  source: { of: 'source' },
  created: { of: 'time', column: 'created_at' },
  updated: { of: 'time', column: 'updated_at' },
  has: { of: 'has' },
  is: { of: 'is' },
  sort: { of: 'sort' },
}

/** Other spellings, where no blueprint means something else by them. */
const aliases: Readonly<Record<string, string>> = {
  $blueprint: 'blueprint',
  $identifier: 'identifier',
  $title: 'title',
  $team: 'team',
  $createdat: 'created',
  $updatedat: 'updated',
  created_at: 'created',
  updated_at: 'updated',
  id: 'identifier',
  name: 'identifier',
}

type Shape = Pick<Blueprint, 'identifier' | 'schema' | 'relations'>

/** The names that a line may use: those of every entity, and those of the blueprints. */
export class Vocabulary {
  readonly #shapes: readonly Shape[]
  readonly #scope: readonly Shape[]
  readonly #scoped: boolean
  #undeclared: ReadonlySet<string> = new Set()

  /** `scope`: the blueprints that can match at all; undefined: any. */
  constructor(shapes: readonly Shape[], scope?: readonly string[]) {
    this.#shapes = shapes
    this.#scoped = scope !== undefined
    this.#scope = scope === undefined ? shapes : shapes.filter(({ identifier }) => scope.includes(identifier))
  }

  static async read(db: Queryable): Promise<Vocabulary> {
    const { rows } = await db.query<Shape>(
      `SELECT identifier, document -> 'schema' AS schema, document -> 'relations' AS relations FROM blueprints ORDER BY identifier`,
    )
    return new Vocabulary(rows)
  }

  /** Of the names those that mean nothing, as far as blueprints tell; what `undeclaredAmong` finds of them is a property. */
  async learn(
    names: readonly string[],
    find: (names: readonly string[], blueprints: readonly string[]) => Promise<ReadonlySet<string>>,
  ): Promise<void> {
    const unknown = names
      .filter((name) => !this.knows(name))
      .flatMap((name) => [...paths(name)].map(([top = '']) => top))
    this.#undeclared = await find(
      [...new Set(unknown)],
      this.#scope.map(({ identifier }) => identifier),
    )
  }

  /** Names are then those of what the line is about: its `blueprint:` at the top, and the one asked for beside it. */
  within(line: Node, blueprint: string | undefined): Vocabulary {
    const parts = line.type === 'and' ? line.parts : [line]
    const named = parts.flatMap((part) => {
      if (part.type !== 'field' || part.name !== 'blueprint' || part.comparison === '~') return []
      return [part.values.flatMap(({ text }) => this.#blueprint(text)?.identifier ?? [])]
    })
    const scope = named[0] ?? (blueprint === undefined ? [] : [blueprint])
    return scope.length === 0 ? this : new Vocabulary(this.#shapes, scope)
  }

  #blueprint(text: string): Shape | undefined {
    return find(this.#shapes, text, ({ identifier }) => identifier)
  }

  /** Its identifier as it is spelled. Throws `query_invalid`. */
  blueprint(text: string, place: Place): string {
    const found = this.#blueprint(text)
    if (found !== undefined) return found.identifier
    const names = this.#shapes.map(({ identifier }) => identifier)
    throw lineError(`There is no blueprint "${text}".`, place, advice(text, names, 'Blueprints'))
  }

  /** Everything that the name can mean; never empty. Throws `query_invalid`. */
  subjects(name: string, place: Place): readonly Subject[] {
    const own = fixed[name.toLowerCase()]
    if (own !== undefined) return [own]
    const [first = '', ...rest] = name.split('.')
    if (first === 'properties' && rest.length > 0) return this.#property(rest.join('.'), true)
    if (first === 'relations' && rest.length > 0) return this.#relation(rest.join('.'), place, true)
    const found = [...this.#property(name, false), ...this.#relation(name, place, false)]
    const itself = this.#scoped ? undefined : this.#blueprint(name)
    if (itself !== undefined) found.push({ of: 'entity', blueprint: itself.identifier })
    if (found.length > 0) return found
    const other = fixed[aliases[name.toLowerCase()] ?? '']
    if (other !== undefined) return [other]
    for (const path of paths(name))
      if (this.#undeclared.has(path[0] ?? '')) return [{ of: 'property', path, time: false }]
    throw this.#unknown(name, place)
  }

  /** A word that was perhaps meant as a condition. */
  knows(name: string): boolean {
    try {
      return this.subjects(name, { start: 0, end: 0 }).length > 0
    } catch {
      return false
    }
  }

  #property(name: string, anyway: boolean): readonly Subject[] {
    for (const path of paths(name)) {
      const [top = ''] = path
      const key = this.#scope.flatMap(({ schema }) => match(Object.keys(schema.properties), top) ?? [])[0]
      if (key === undefined) continue
      const schemas = this.#scope.flatMap(({ schema }) => schema.properties[key] ?? [])
      // What lies inside of an object is not described; only objects have an inside.
      if (path.length > 1 && schemas.every(({ type }) => type !== undefined && type !== 'object')) continue
      const types = new Set(path.length > 1 ? [undefined] : schemas.map(({ type }) => type))
      const [type] = types
      const time = path.length === 1 && schemas.some(({ format }) => format === 'date-time' || format === 'date')
      return [
        {
          of: 'property',
          path: [key, ...path.slice(1)],
          time,
          ...(types.size > 1 || type === undefined ? {} : { type }),
        },
      ]
    }
    return anyway ? [{ of: 'property', path: [name], time: false }] : []
  }

  #relation(name: string, place: Place, anyway: boolean): readonly Subject[] {
    const [first = '', ...rest] = name.split('.')
    for (const [wanted, inside] of [[name], [first, rest.join('.')]] as const) {
      const relation = this.#scope.flatMap(({ relations }) => match(Object.keys(relations ?? {}), wanted) ?? [])[0]
      if (relation === undefined) continue
      const targets = [...new Set(this.#scope.flatMap(({ relations }) => relations?.[relation]?.target ?? []))]
      if (inside === undefined || inside === '') return [{ of: 'relation', relation, targets }]
      const there = new Vocabulary(this.#shapes, targets)
      return there.subjects(inside, place).map((subject) => ({ of: 'hop', relation, subject }))
    }
    return anyway ? [{ of: 'relation', relation: name, targets: [] }] : []
  }

  #unknown(name: string, place: Place): Error {
    const elsewhere = this.#shapes.filter((shape) => match(names([shape]), name) !== undefined)
    const here = this.#scope.map(({ identifier }) => identifier).join(', ')
    if (elsewhere.length > 0) {
      const owners = elsewhere.map(({ identifier }) => identifier).join(', ')
      return lineError(`${here} has no "${name}".`, place, `${owners} has it.`)
    }
    const known = [...names(this.#scope), ...Object.keys(fixed)]
    const word = `As words: "${name}:..." in quotes.`
    const about = `${this.#scoped ? `Names of ${here}` : 'Names'}`
    return lineError(`There is no "${name}" to search by.`, place, `${advice(name, known, about)} ${word}`)
  }
}

function names(shapes: readonly Shape[]): readonly string[] {
  const all = shapes.flatMap(({ schema, relations }) => [
    ...Object.keys(schema.properties),
    ...Object.keys(relations ?? {}),
  ])
  return [...new Set(all)]
}

/** `labels.app` is the property of that name, or `app` within `labels`. */
function* paths(name: string): Generator<readonly string[]> {
  yield [name]
  const parts = name.split('.')
  if (parts.length > 1 && parts.every((part) => part !== '')) yield parts
}

function find<T>(list: readonly T[], text: string, name: (item: T) => string): T | undefined {
  return (
    list.find((item) => name(item) === text) ?? list.find((item) => name(item).toLowerCase() === text.toLowerCase())
  )
}

function match(list: readonly string[], text: string): string | undefined {
  return find(list, text, (item) => item)
}

const shown = 20

export function advice(wanted: string, known: readonly string[], what: string): string {
  const similar = nearest(wanted, known)
  if (similar !== undefined) return `${similar.charAt(0).toUpperCase()}${similar.slice(1)}`
  return `${what}: ${known.slice(0, shown).join(' ')}${known.length > shown ? ' ...' : ''}`
}
