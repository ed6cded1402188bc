import type pg from 'pg'

/**
 * `COPY ... FROM STDIN` of data that is at hand. It goes out right behind the statement: to wait for the server's leave
 * would cost a round trip, and the sender is seldom idle when it comes. A server that refuses the statement reads over the
 * data, as its protocol says. Answers the number of rows.
 */
export function copyIn(client: pg.ClientBase, sql: string, chunks: Iterable<string | Buffer>): Promise<number> {
  return new Promise((resolve, reject) => {
    client.query(new CopyIn(sql, chunks, resolve, reject))
  })
}

class CopyIn implements pg.Submittable {
  readonly #sql: string
  readonly #chunks: Iterable<string | Buffer>
  readonly #resolve: (rows: number) => void
  readonly #reject: (error: unknown) => void
  #rows = 0
  /** What went wrong here; the server only hears that something did. */
  #failure: unknown

  constructor(
    sql: string,
    chunks: Iterable<string | Buffer>,
    resolve: (rows: number) => void,
    reject: (error: unknown) => void,
  ) {
    this.#sql = sql
    this.#chunks = chunks
    this.#resolve = resolve
    this.#reject = reject
  }

  submit = (connection: pg.Connection): void => {
    const { stream } = connection
    stream.cork()
    connection.query(this.#sql)
    try {
      for (const block of blocks(this.#chunks)) {
        stream.write(header('d', block.length))
        stream.write(block)
      }
      stream.write(header('c', 0))
    } catch (error) {
      this.#failure = error
      const reason = Buffer.from('the data broke off\0')
      stream.write(header('f', reason.length))
      stream.write(reason)
    }
    stream.uncork()
  }

  // The driver calls these as the server answers.

  handleCopyInResponse(): void {}

  handleCommandComplete({ text }: { readonly text: string }): void {
    this.#rows = Number(/^COPY (\d+)$/.exec(text)?.[1] ?? 0)
  }

  handleReadyForQuery(): void {
    this.#resolve(this.#rows)
  }

  handleError(error: Error): void {
    this.#reject(this.#failure ?? error)
  }
}

/** Of a message: its letter, and its length with these four bytes. */
function header(letter: string, length: number): Buffer {
  const buffer = Buffer.allocUnsafe(5)
  buffer.write(letter, 0, 'latin1')
  buffer.writeInt32BE(length + 4, 1)
  return buffer
}

const blockSize = 64 * 1024

/** Small chunks cost a message each, so they are joined first. */
function* blocks(chunks: Iterable<string | Buffer>): Generator<Buffer> {
  let text = ''
  for (const chunk of chunks) {
    if (typeof chunk === 'string') {
      text += chunk
      if (text.length < blockSize) continue
    }
    if (text !== '') yield Buffer.from(text)
    text = ''
    if (typeof chunk !== 'string' && chunk.length > 0) yield chunk
  }
  if (text !== '') yield Buffer.from(text)
}
