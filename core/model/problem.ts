/** An expression that failed on one item. Errors are values here: they are stored, shown, counted and never thrown away. */
export interface Problem {
  readonly code:
    | 'expression_failed'
    | 'expression_budget'
    | 'type_mismatch'
    | 'identifier_missing'
    | 'blueprint_unknown'
    | 'unsupported'
    | 'value_unstorable'
    /** The object itself could not be read or kept; `field` is `key` or `body`, and no mapping has seen it. */
    | 'item_refused'
  /** Mapping id, see `MappingOutput.mapping`. */
  readonly mapping: string
  /** `selector`, `items`, `identifier`, `blueprint`, `title`, `team`, `properties.NAME`, `relations.NAME`. */
  readonly field: string
  readonly expression: string
  /** jq's own message, or ours where jq has none. */
  readonly message: string
  readonly file?: string
  readonly line?: number
  readonly column?: number
}
