import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { inject } from 'vitest'
import type { Db } from '../catalog/db.ts'
import { type DatabaseOptions, openDatabase } from '../catalog/postgres/connect.ts'
import { sqlState } from '../catalog/postgres/errors.ts'

/** Where test databases come from: a server, and the migrated database that each of them is a copy of. */
export interface TestServer {
  /** Of a database that stays, with the right to create others. */
  readonly url: string
  readonly template: string
}

declare module 'vitest' {
  interface ProvidedContext {
    readonly testServer: TestServer
  }
}

export interface FreshDatabase {
  readonly url: string
  readonly db: Db
  /** Closes `db`, ends every other connection and removes the database. */
  drop(): Promise<void>
}

/** A migrated, empty database of its own, for one test file or one test. Works in parallel. */
export function freshDatabase(options: DatabaseOptions = {}): Promise<FreshDatabase> {
  return copyOf(inject('testServer').template, options)
}

/** The same without any table of Catchment. */
export function emptyDatabase(options: DatabaseOptions = {}): Promise<FreshDatabase> {
  return copyOf('template0', options)
}

async function copyOf(template: string, options: DatabaseOptions): Promise<FreshDatabase> {
  const server = inject('testServer')
  const name = `test_${randomUUID().replaceAll('-', '')}`
  await createDatabase(server.url, name, { template })
  const url = withDatabase(server.url, name)
  const db = await openDatabase(url, options)
  return {
    url,
    db,
    async drop() {
      await db.close()
      await dropDatabase(server.url, name)
    },
  }
}

export function withDatabase(url: string, name: string): string {
  const changed = new URL(url)
  changed.pathname = `/${name}`
  return changed.href
}

export interface CreateOptions {
  readonly template?: string
  readonly encoding?: string
}

export async function createDatabase(url: string, name: string, options: CreateOptions = {}): Promise<void> {
  const { template = 'template0', encoding = 'UTF8' } = options
  // The built-in locale is for UTF-8 alone; C goes with every encoding.
  const locale = encoding === 'UTF8' ? '' : `locale_provider libc locale 'C'`
  await onServer(url, async (db) => {
    for (const deadline = performance.now() + 30_000; ; await pause(50)) {
      try {
        await db.query(`create database "${name}" template "${template}" encoding '${encoding}' ${locale}`)
        return
      } catch (error) {
        // 55006: the template is busy, for instance with a connection that is just closing.
        if (sqlState(error) !== '55006' || performance.now() > deadline) throw error
      }
    }
  })
}

export async function dropDatabase(url: string, name: string): Promise<void> {
  await onServer(url, (db) => db.query(`drop database if exists "${name}" with (force)`))
}

async function onServer<T>(url: string, work: (db: Db) => Promise<T>): Promise<T> {
  const db = await openDatabase(url, { applicationName: 'catchment-test', max: 1 })
  try {
    return await work(db)
  } finally {
    await db.close()
  }
}
