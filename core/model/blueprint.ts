import type { Json, JsonObject } from './json.ts'

/** JSON Schema of one property, as far as we read it; the rest is kept and shown. */
export interface PropertySchema {
  readonly type?: 'string' | 'number' | 'boolean' | 'object' | 'array'
  readonly title?: string
  readonly description?: string
  readonly format?: string
  readonly enum?: readonly Json[]
  readonly items?: JsonObject
  /** Of several contributions: `first` (default) the one that ranks first, `union` the lists of all together. */
  readonly merge?: 'first' | 'union'
}

export interface RelationSchema {
  readonly title?: string
  readonly description?: string
  /** Identifier of the blueprint it points at. */
  readonly target: string
  readonly required?: boolean
  readonly many?: boolean
  /** As of a property. */
  readonly merge?: 'first' | 'union'
}

/** The schema of a family of entities. The JSON is the one in public use: a file a team has loads unchanged. */
export interface Blueprint {
  readonly identifier: string
  readonly title?: string
  readonly description?: string
  readonly icon?: string
  readonly schema: {
    readonly properties: Readonly<Record<string, PropertySchema>>
    readonly required?: readonly string[]
  }
  readonly relations: Readonly<Record<string, RelationSchema>>
  /** Properties that full text covers beside title and identifier. */
  readonly searchable?: readonly string[]
  /** Two records that claim one identifier: `merge` (default) makes one entity of both, `conflict` hears the first and tells of it. */
  readonly identity?: 'merge' | 'conflict'
  /** `own`: an entity written over HTTP exists by itself. Default: it only adds fields to what a source knows. */
  readonly manual?: 'own' | 'add'
}
