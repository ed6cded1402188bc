import type { Json, JsonObject } from './json.ts'

/** JSON Schema of one property, as far as we read it; the rest is kept and shown. */
export interface PropertySchema {
  readonly type?: 'string' | 'number' | 'boolean' | 'object' | 'array'
  readonly title?: string
  readonly description?: string
  readonly format?: string
  readonly enum?: readonly Json[]
  readonly items?: JsonObject
}

export interface RelationSchema {
  readonly title?: string
  readonly description?: string
  /** Identifier of the blueprint it points at. */
  readonly target: string
  readonly required?: boolean
  readonly many?: boolean
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
  /** `own`: an entity written over HTTP exists by itself. Default: it only adds fields to what a source knows. */
  readonly manual?: 'own' | 'add'
}
