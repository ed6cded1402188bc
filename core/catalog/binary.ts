/**
 * PostgreSQL's binary form of values. One encoder serves both ways of writing many rows, COPY and array parameters, and
 * spares the server the parsing: bodies go as they are instead of as twice as long hex.
 */
export type Type =
  | 'bool'
  | 'int4'
  | 'int8'
  | 'text'
  | 'text[]'
  /** JSON text. */
  | 'jsonb'
  | 'bytea'
  /** Text that is kept as bytes, behind a zero byte. */
  | 'raw'
  /** Hex digits. */
  | 'hex'
  /** Milliseconds since the epoch. */
  | 'timestamptz'
  /** As `tsvector` of search.ts makes it. */
  | 'tsvector'

export type Cell = bigint | number | string | boolean | Buffer | readonly string[] | null

export interface Column {
  readonly name: string
  readonly type: Type
}

/** The server's own type name and object id of each. */
const server: Readonly<Record<Type, readonly [name: string, oid: number]>> = {
  bool: ['bool', 16],
  int4: ['int4', 23],
  int8: ['int8', 20],
  text: ['text', 25],
  'text[]': ['text', 25],
  jsonb: ['jsonb', 3802],
  bytea: ['bytea', 17],
  raw: ['bytea', 17],
  hex: ['bytea', 17],
  timestamptz: ['timestamptz', 1184],
  tsvector: ['tsvector', 3614],
}

export function serverType(type: Type): string {
  return server[type][0]
}

/** What stands before a text. */
const leads: { readonly [type in Type]?: number } = { jsonb: 1, raw: 0 }

const copyHeader = Buffer.from('5047434f50590aff0d0a000000000000000000', 'hex')
/** 2000-01-01, where the server's timestamps begin. */
const epoch = 946_684_800_000

class Writer {
  #buffer: Buffer
  /** Of the same memory: three times as fast for numbers. */
  #view: DataView
  #at = 0

  constructor(size: number) {
    this.#buffer = Buffer.allocUnsafeSlow(size)
    this.#view = new DataView(this.#buffer.buffer)
  }

  get done(): Buffer {
    return this.#buffer.subarray(0, this.#at)
  }

  #room(bytes: number): void {
    if (this.#at + bytes <= this.#buffer.length) return
    const larger = Buffer.allocUnsafeSlow(Math.max(this.#buffer.length * 2, this.#at + bytes))
    this.#buffer.copy(larger, 0, 0, this.#at)
    this.#buffer = larger
    this.#view = new DataView(larger.buffer)
  }

  int2(value: number): void {
    this.#room(2)
    this.#view.setInt16(this.#at, value)
    this.#at += 2
  }

  int4(value: number): void {
    this.#room(4)
    this.#view.setInt32(this.#at, value)
    this.#at += 4
  }

  bytes(value: Buffer): void {
    this.#room(value.length)
    this.#at += value.copy(this.#buffer, this.#at)
  }

  /** Length and UTF-8, behind `lead` bytes that are counted with it. */
  text(value: string, lead?: number): void {
    this.#room(5 + value.length * 3)
    let start = this.#at + 4
    if (lead !== undefined) this.#view.setUint8(start++, lead)
    const end = start + this.#buffer.write(value, start)
    this.#view.setInt32(this.#at, end - this.#at - 4)
    this.#at = end
  }

  hex(value: string): void {
    this.#room(4 + value.length / 2)
    const length = this.#buffer.write(value, this.#at + 4, 'hex')
    this.#view.setInt32(this.#at, length)
    this.#at += 4 + length
  }

  cell(type: Type, value: Cell): void {
    if (value === null) return this.int4(-1)
    if (typeof value === 'string') {
      if (type === 'hex') return this.hex(value)
      return this.text(value, leads[type])
    }
    if (typeof value === 'bigint') {
      this.#room(12)
      this.#view.setInt32(this.#at, 8)
      this.#view.setBigInt64(this.#at + 4, value)
      this.#at += 12
      return
    }
    if (Buffer.isBuffer(value)) {
      this.int4(value.length)
      return this.bytes(value)
    }
    if (typeof value === 'boolean') {
      this.int4(1)
      this.#room(1)
      this.#view.setUint8(this.#at++, value ? 1 : 0)
      return
    }
    if (typeof value === 'number') {
      if (type === 'timestamptz') return this.cell('int8', BigInt(Math.round((value - epoch) * 1000)))
      this.int4(4)
      return this.int4(value)
    }
    const list = array('text', value)
    this.int4(list.length)
    this.bytes(list)
  }
}

/** The body of `COPY ... (FORMAT binary)`. */
export function copyRows(columns: readonly Column[], rows: readonly (readonly Cell[])[]): Buffer {
  const writer = new Writer(Math.max(4096, rows.length * 256))
  writer.bytes(copyHeader)
  for (const row of rows) {
    writer.int2(columns.length)
    for (let index = 0; index < columns.length; index++) {
      writer.cell(columns[index]?.type ?? 'text', row[index] ?? null)
    }
  }
  writer.int2(-1)
  return writer.done
}

/** A one-dimensional array as a parameter. */
export function array(type: Exclude<Type, 'text[]'>, values: readonly Cell[]): Buffer {
  const writer = new Writer(64 + values.length * 24)
  writer.int4(values.length === 0 ? 0 : 1)
  writer.int4(values.includes(null) ? 1 : 0)
  writer.int4(server[type][1])
  if (values.length > 0) {
    writer.int4(values.length)
    writer.int4(1)
    for (const value of values) writer.cell(type, value)
  }
  return writer.done
}

/** One array a column. An array of arrays would be unnested whole, so `text[]` cells go as their text form. */
export function columnArrays(columns: readonly Column[], rows: readonly (readonly Cell[])[]): Buffer[] {
  return columns.map(({ type }, index) => {
    const values = rows.map((row) => row[index] ?? null)
    return type === 'text[]' ? array('text', values.map(arrayText)) : array(type, values)
  })
}

function arrayText(value: Cell): string | null {
  if (!Array.isArray(value)) return null
  return `{${value.map((each) => `"${String(each).replaceAll(/["\\]/g, '\\$&')}"`).join(',')}}`
}
