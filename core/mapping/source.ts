export interface Position {
  readonly line: number
  readonly column: number
}

/** The text of one file with its name, able to say where an offset is. */
export class SourceText {
  readonly file: string
  readonly text: string
  readonly #starts: number[] = [0]

  constructor(file: string, text: string) {
    this.file = file
    this.text = text
    for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) this.#starts.push(at + 1)
  }

  /** Line and column, from 1. */
  position(offset: number): Position {
    let low = 0
    let high = this.#starts.length - 1
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if ((this.#starts[middle] ?? 0) <= offset) low = middle
      else high = middle - 1
    }
    return { line: low + 1, column: offset - (this.#starts[low] ?? 0) + 1 }
  }

  /** The text of a line, without its end. */
  line(number: number): string {
    const start = this.#starts[number - 1] ?? this.text.length
    return this.text.slice(start, (this.#starts[number] ?? this.text.length + 1) - 1).replace(/\r$/, '')
  }
}
