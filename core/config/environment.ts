import { isAbsolute, join } from 'node:path'
import { Report } from '../mapping/diagnostic.ts'
import { SourceText } from '../mapping/source.ts'
import { Redacted } from './redacted.ts'

export type Variables = Readonly<Record<string, string | undefined>>

/** What is set from outside of the file, and wins over it. */
export interface Environment {
  readonly host?: string
  readonly port?: number
  /** Absolute. */
  readonly data: string
  readonly databaseUrl?: Redacted<string>
  readonly adminKey?: Redacted<string>
  /** A remote server the CLI talks to. */
  readonly url?: string
}

/** Reads CATCHMENT_* and DATABASE_URL. Mistakes are reported as if each variable were a file of one line. */
export function readEnvironment(variables: Variables, cwd: string): { environment: Environment; reports: Report[] } {
  const reports: Report[] = []
  const get = (name: string): string | undefined => variables[name] || undefined
  const wrong = (name: string, value: string, message: string, hint: string): undefined => {
    const report = new Report(new SourceText('environment', `${name}=${value}`))
    report.error('variable_invalid', { start: name.length + 1, end: name.length + 1 + value.length }, message, { hint })
    reports.push(report)
    return undefined
  }

  const port = get('CATCHMENT_PORT')
  const portNumber = port !== undefined && /^\d{1,5}$/.test(port) && Number(port) <= 65535 ? Number(port) : undefined
  if (port !== undefined && portNumber === undefined) {
    wrong(
      'CATCHMENT_PORT',
      port,
      `CATCHMENT_PORT must be a number from 0 to 65535, not "${port}"`,
      '0 takes a free port',
    )
  }
  const url = get('CATCHMENT_URL')
  if (url !== undefined && !/^https?:\/\/[^/\s]/.test(url)) {
    wrong(
      'CATCHMENT_URL',
      url,
      `CATCHMENT_URL must be an http or https address, not "${url}"`,
      'for example https://catchment.example.com',
    )
  }
  const database = get('DATABASE_URL')
  if (database !== undefined && !/^postgres(ql)?:\/\//.test(database)) {
    // The value may hold a password: it is not shown.
    wrong(
      'DATABASE_URL',
      '…',
      'DATABASE_URL must start with postgres://',
      'postgres://USER:PASSWORD@HOST:5432/DATABASE',
    )
  }
  const adminKey = get('CATCHMENT_ADMIN_KEY')
  if (adminKey !== undefined && (adminKey.length < 16 || /\s/.test(adminKey))) {
    wrong(
      'CATCHMENT_ADMIN_KEY',
      '…',
      'CATCHMENT_ADMIN_KEY is too short or has spaces',
      'use at least 16 characters: openssl rand -hex 24',
    )
  }
  const host = get('CATCHMENT_HOST')
  const data = get('CATCHMENT_DATA') ?? '.catchment'
  return {
    reports,
    environment: {
      data: isAbsolute(data) ? data : join(cwd, data),
      ...(host === undefined ? {} : { host }),
      ...(portNumber === undefined ? {} : { port: portNumber }),
      ...(database === undefined ? {} : { databaseUrl: new Redacted(database) }),
      ...(adminKey === undefined ? {} : { adminKey: new Redacted(adminKey) }),
      ...(url === undefined ? {} : { url: url.replace(/\/+$/, '') }),
    },
  }
}
