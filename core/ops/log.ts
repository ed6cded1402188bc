import { type DestinationStream, type Level, type Logger, pino } from 'pino'
import type { Ports } from '../sync/engine.ts'

export interface LogOptions {
  readonly level: Level | 'silent'
  /** Values that must never be written, wherever they turn up: keys, tokens, webhook secrets. Short ones are ignored. */
  readonly secrets?: readonly string[]
  /** Default: standard output, one JSON object a line. */
  readonly destination?: DestinationStream
}

/** Shorter values would blank out ordinary words. */
const shortest = 8

/**
 * Two nets against secrets: fields that are named like one are blanked, and every line is searched for the values that
 * are known. Messages are static; what varies is in fields.
 */
export function createLog(options: LogOptions): Logger {
  const forms = new Set<string>()
  for (const secret of options.secrets ?? []) {
    if (secret.length < shortest) continue
    forms.add(secret)
    // As it stands within a JSON text, and within a URL.
    forms.add(JSON.stringify(secret).slice(1, -1))
    forms.add(encodeURIComponent(secret))
  }
  const settings = {
    level: options.level,
    base: null,
    formatters: {
      level: (label: string) => ({ level: label }),
      log: (fields: Record<string, unknown>) => redact(fields),
    },
    timestamp: pino.stdTimeFunctions.isoTime,
    hooks: {
      streamWrite(line: string): string {
        let clean = line
        for (const secret of forms) clean = clean.replaceAll(secret, '[redacted]')
        return clean
      },
    },
  }
  return options.destination === undefined ? pino(settings) : pino(settings, options.destination)
}

/** The engine's way to the log. */
export function engineLog(log: Logger): Ports['log'] {
  return (level, message, fields) => {
    log[level](fields ?? {}, message)
  }
}

const secretName =
  /authorization|cookie|password|passphrase|secret|token|api[-_]?key|admin[-_]?key|private[-_]?key|signature/i

/** Blanks fields named like secrets, a few levels down; errors become what is safe to say of them. */
export function redact(fields: Readonly<Record<string, unknown>>, depth = 0): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => {
      // Pagination and lease tokens are numbers; what is secret is text or bytes.
      if (
        secretName.test(name) &&
        typeof value !== 'number' &&
        typeof value !== 'bigint' &&
        typeof value !== 'boolean'
      ) {
        return [name, value === undefined || value === null ? value : '[redacted]']
      }
      return [name, clean(value, depth)]
    }),
  )
}

function clean(value: unknown, depth: number): unknown {
  if (typeof value === 'bigint') return value.toString()
  if (value instanceof Error) return describe(value, depth)
  if (value instanceof Date || typeof value !== 'object' || value === null) return value
  if (depth >= 6) return '[deep]'
  if (Array.isArray(value)) return value.map((item) => clean(item, depth + 1))
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null) return `[${value.constructor.name}]`
  return redact({ ...value }, depth + 1)
}

function describe(error: Error, depth: number): Record<string, unknown> {
  return {
    type: error.name,
    ...('code' in error ? { code: error.code } : {}),
    message: error.message,
    stack: error.stack,
    ...(error.cause instanceof Error && depth < 3 ? { cause: describe(error.cause, depth + 1) } : {}),
  }
}
