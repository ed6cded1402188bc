import type { Diagnostic } from '../mapping/diagnostic.ts'
import type { ConfigError } from './error.ts'
import type { Redacted } from './redacted.ts'

/** A file that the configuration names, with its text. */
export interface NamedText {
  readonly file: string
  readonly text: string
}

export interface SourceConfig {
  readonly name: string
  readonly integration: string
  /** Parsed by the integration's own schema; as it was handed in where no integration was known. */
  readonly config: Redacted<unknown>
  /** Absent: the shipped one. */
  readonly mapping?: NamedText
  /** Absent: the shipped ones. */
  readonly blueprints?: readonly NamedText[]
  /** Absent: the integration's default. */
  readonly kinds?: readonly string[]
  readonly schedule: {
    readonly scan: string
    readonly freshnessSeconds: number
    /** Of kinds with an objective of their own. */
    readonly freshnessByKind?: Readonly<Record<string, number>>
  }
  /** Kinds of which only hashes are kept; `default` is all that are not named. */
  readonly keep: Readonly<Record<string, 'all' | 'hash'>>
  /** Fields that are never stored, by kind. */
  readonly drop: Readonly<Record<string, readonly string[]>>
  readonly variables: Readonly<Record<string, string>>
  /** `share` from 0 to 1. */
  readonly guard: { readonly share: number; readonly minimum: number }
  /** From 0 to 1. */
  readonly quota: { readonly reserve: number }
  readonly webhooks: { readonly manage: boolean; readonly url?: string; readonly secret?: Redacted<string> }
}

export interface Config {
  /** `sandbox`: there is no configuration file, so the composition brings its own organisation. */
  readonly mode: 'file' | 'sandbox'
  /** Absolute path of the file. */
  readonly file?: string
  readonly sources: readonly SourceConfig[]
  /** Every source and `manual` once, strongest first. */
  readonly precedence: readonly string[]
  readonly server: { readonly host: string; readonly port: number }
  /** How long history and change feed are kept at least. */
  readonly history: { readonly keepSeconds: number }
  /** Absolute path of the folder for data. */
  readonly data: string
  readonly databaseUrl?: Redacted<string>
  readonly adminKey?: Redacted<string>
  readonly url?: string
  readonly warnings: readonly Diagnostic[]
  /**
   * An error about a place of the file, for what only shows later (a kind that the connected source does not have). `path`
   * leads to it: `['sources', 0, 'kinds', 2]`.
   */
  problem(path: readonly (string | number)[], finding: Finding): ConfigError
}

export interface Finding {
  readonly code: string
  readonly message: string
  readonly hint?: string
}
