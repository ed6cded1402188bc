import { createHash } from 'node:crypto'
import { type FileHandle, glob, open, stat } from 'node:fs/promises'
import { isAbsolute, join, relative, resolve } from 'node:path'
import {
  BadAnswer,
  type Cursor,
  type Got,
  isObject,
  type Json,
  type Page,
  ScopeUnreadable,
} from '../../core/sdk/index.ts'
import { rows } from './formats.ts'
import { type Item, keyOf } from './item.ts'
import type { FileConfig } from './schema.ts'

/** Milliseconds without a write after which a file counts as written to its end. */
const settled = 2000

export interface OpenedFile {
  /** Changes with everything that is written to the file. */
  readonly stamp: string
  /** From this page to the end. */
  pages(from: Cursor, size: number, signal: AbortSignal): AsyncGenerator<Page>
  find(key: string): Promise<Got>
  close(): Promise<void>
}

/**
 * The files that the paths and globs stand for, by their names: relative to the folder unless written otherwise. A plain path
 * is one, whether it is there or not.
 */
export async function filesOf({ paths }: FileConfig, folder: string): Promise<readonly string[]> {
  const found = new Map<string, string>()
  for (const pattern of paths) {
    const add = (path: string): unknown => found.set(path, isAbsolute(pattern) ? path : relative(folder, path))
    if (!/[*?[\]{}]/.test(pattern)) add(resolve(folder, pattern))
    else {
      for await (const entry of glob(pattern, { cwd: folder, withFileTypes: true })) {
        if (!entry.isDirectory()) add(join(entry.parentPath, entry.name))
      }
    }
  }
  if (found.size === 0) throw new ScopeUnreadable(`No file matches ${paths.join(', ')} in ${folder}.`)
  return [...found.values()].sort()
}

/** Why a file cannot be read; undefined if it can. */
export async function reasonOf(path: string, name: string): Promise<string | undefined> {
  try {
    // Before it is opened: to open a pipe would wait for its other end.
    if (!(await stat(path)).isFile()) return `${name} is not a file`
    await (await open(path)).close()
    return undefined
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error'
    return code === 'ENOENT' ? `${name} is not there` : `${name} cannot be read (${code})`
  }
}

/** Throws ScopeUnreadable. The file stays the same one, also when another one takes its name meanwhile. */
export async function openFile(path: string, name: string, config: FileConfig, now: number): Promise<OpenedFile> {
  const reason = await reasonOf(path, name)
  if (reason !== undefined) throw new ScopeUnreadable(`${reason}.`, 'Put it back, or take it out of `paths`.')
  const handle = await open(path)
  const { stamp, written } = await look(handle, config)
  const fresh = Math.abs(now - written) < settled

  async function unchanged(): Promise<void> {
    if ((await look(handle, config)).stamp !== stamp) throw new BadAnswer(`${name} was written while it was read.`)
  }

  async function* items(): AsyncGenerator<Item> {
    let row = 0
    try {
      for await (const value of rows(handle, name, config)) {
        row += 1
        if (!isObject(value)) throw new Error('it is no object')
        if ('file' in value) throw new Error('it has a field "file", which is where the name of the file goes')
        yield { ...value, file: name }
      }
    } catch (error) {
      throw new BadAnswer(
        `${name}, after ${row} rows: ${error instanceof Error ? error.message : String(error)}`,
        error,
      )
    }
  }

  return {
    stamp,
    close: () => handle.close(),
    async *pages(from, size, signal) {
      let start = startOf(from, stamp, name)
      const seen = new Set<string>()
      let page: Json[] = []
      let row = 0
      // What is half written cannot always be told from what is whole: a fresh file proves no absence.
      let incomplete = fresh ? `${name} was written a moment ago` : undefined
      const made = (next?: number): Page => ({
        cursor: `${start}@${stamp}`,
        items: page,
        ...(fresh ? {} : { validator: stamp }),
        ...(next === undefined ? {} : { next: `${next}@${stamp}` }),
        ...(incomplete === undefined ? {} : { incomplete }),
      })
      for await (const item of items()) {
        if (row === start + size) {
          signal.throwIfAborted()
          yield made(row)
          start = row
          page = []
        }
        row += 1
        const key = keyIn(item, config)
        if (key !== undefined && seen.has(key)) incomplete ??= `row ${row} of ${name} is called as an earlier one`
        else if (row > start) page.push(item)
        if (key !== undefined) seen.add(key)
      }
      await unchanged()
      yield made()
    },
    async find(key) {
      for await (const item of items()) if (keyIn(item, config) === key) return { state: 'present', body: item }
      await unchanged()
      return fresh ? { state: 'unknown', reason: `${name} was written a moment ago` } : { state: 'gone' }
    },
  }
}

/**
 * The state of an open file and how it is read. Inode and change time are in it, because a copy may have an old time and the
 * same size.
 */
async function look(handle: FileHandle, config: FileConfig): Promise<{ stamp: string; written: number }> {
  const { ino, ctimeNs, mtimeMs, size } = await handle.stat({ bigint: true })
  const state = JSON.stringify([config, String(ino), String(ctimeNs), String(size)])
  return { stamp: createHash('sha256').update(state).digest('hex').slice(0, 16), written: Number(mtimeMs) }
}

function startOf(cursor: Cursor, stamp: string, name: string): number {
  const [row = '', state] = cursor.split('@')
  if (state !== stamp) throw new BadAnswer(`${name} was written while it was read.`)
  return Number(row)
}

/** A row without a key is the engine's to count. */
function keyIn(item: Json, config: FileConfig): string | undefined {
  try {
    return keyOf(item, config.key)
  } catch {
    return undefined
  }
}
