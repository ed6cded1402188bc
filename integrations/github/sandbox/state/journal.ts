// Durable state: a snapshot and a journal of what came after it. A journal line is one transaction; it is on the disk
// before the answer leaves, so a SIGKILL loses nothing acknowledged, and a line torn by a crash is one nobody was told of.
import {
  closeSync,
  fdatasyncSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { type TableName, tableNames } from './model.ts'
import type { Op, Rows } from './tables.ts'

const compactAbove = 32 * 1024 * 1024

interface Line {
  /** Counts transactions; a snapshot says up to which one it is complete. */
  readonly n: number
  readonly ops: readonly Op[]
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
}

// The files are written by this module only; a line that does not parse is the torn last one.
function parse(line: string): Line | undefined {
  try {
    return JSON.parse(line) as Line
  } catch {
    return undefined
  }
}

export class Journal {
  readonly #dir: string
  readonly #rows: Rows
  #fd: number
  #n = 0
  #bytes = 0

  /** Reads what is in `dir` into `rows` and opens the journal for writing. */
  constructor(dir: string, rows: Rows) {
    mkdirSync(dir, { recursive: true, mode: 0o700 })
    this.#dir = dir
    this.#rows = rows
    for (const text of (readIfThere(join(dir, 'snapshot.jsonl')) ?? '').split('\n')) this.#replay(text)
    const journal = readIfThere(join(dir, 'journal.jsonl')) ?? ''
    for (const text of journal.split('\n')) this.#replay(text)
    this.#fd = openSync(join(dir, 'journal.jsonl'), 'a', 0o600)
    // A torn last line would glue itself to the next one.
    const whole = Buffer.byteLength(journal.slice(0, journal.lastIndexOf('\n') + 1))
    ftruncateSync(this.#fd, whole)
    this.#bytes = whole
    if (whole > compactAbove) this.compact()
  }

  #replay(text: string): void {
    const line = text === '' ? undefined : parse(text)
    if (line === undefined || line.n < this.#n) return
    this.#n = line.n
    for (const op of line.ops) this.#rows.set(op.t, op.k, op.row)
  }

  /** `durable: false` survives the end of this process, though not of the machine: enough for the outcome of a delivery. */
  append(ops: readonly Op[], durable: boolean): void {
    const data = Buffer.from(`${JSON.stringify({ n: this.#n + 1, ops } satisfies Line)}\n`)
    try {
      writeFileSync(this.#fd, data) // by descriptor it appends, and loops until all is written
      if (durable) fdatasyncSync(this.#fd)
    } catch (error) {
      ftruncateSync(this.#fd, this.#bytes)
      throw error
    }
    this.#n += 1
    this.#bytes += data.length
    if (this.#bytes > compactAbove) this.compact()
  }

  /** Writes everything into a new snapshot and empties the journal. A crash at any step leaves a readable pair. */
  compact(): void {
    const path = join(this.#dir, 'snapshot.jsonl')
    const fd = openSync(`${path}.new`, 'w', 0o600)
    const flush = (ops: Op[]): void => {
      writeFileSync(fd, `${JSON.stringify({ n: this.#n, ops } satisfies Line)}\n`)
      ops.length = 0
    }
    const ops: Op[] = []
    const add = (table: TableName): void => {
      for (const row of this.#rows.all(table)) {
        // Table and row come from the same map; TypeScript cannot follow that through a union.
        ops.push({ t: table, k: row.id, row } as Op)
        if (ops.length === 500) flush(ops)
      }
    }
    for (const table of tableNames) add(table)
    flush(ops)
    fsyncSync(fd)
    closeSync(fd)
    renameSync(`${path}.new`, path)
    const dir = openSync(this.#dir, 'r')
    fsyncSync(dir)
    closeSync(dir)
    ftruncateSync(this.#fd, 0)
    this.#bytes = 0
  }

  close(): void {
    closeSync(this.#fd)
  }
}
