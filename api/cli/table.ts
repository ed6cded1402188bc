type Rows = readonly (readonly string[])[]

/** Below this a column is not squeezed. */
const narrowest = 16

/** Columns of the terminal; undefined where there is none, so that programs get whole lines. */
export function terminalWidth(): number | undefined {
  return process.stdout.isTTY && process.stdout.columns > 0 ? process.stdout.columns : undefined
}

/**
 * Columns as wide as their widest cell; the last one is not padded. Empty input gives the `empty` line.
 * Where that is wider than `width`, what all rows share is said once above, and cells of several words go over several
 * lines. Words stay whole: names and ids can be copied.
 */
export function table(columns: readonly string[], rows: Rows, empty: string, width = terminalWidth()): string {
  if (rows.length === 0) return empty
  if (width === undefined || total(widthsOf(columns, rows)) <= width)
    return lines(columns, rows, widthsOf(columns, rows))
  const shared = columns.map((_, index) => sharedBy(rows, index))
  const kept = columns.flatMap((_, index) => (shared[index] === undefined ? [index] : []))
  const pick = (cells: readonly string[]): string[] => kept.map((index) => cells[index] ?? '')
  const said = columns.flatMap((name, index) => (shared[index] ? [`${name} ${shared[index]}`] : []))
  const [heads, bodies] = [pick(columns), rows.map(pick)]
  const above = said.length === 0 ? [] : [wrap(`All: ${said.join(', ')}`, width, '  ')]
  return [...above, lines(heads, bodies, squeeze(heads, bodies, width))].join('\n')
}

/** Text over several lines of at most `width`, where words allow; `indent` before all but the first. */
export function wrap(text: string, width: number, indent = ''): string {
  return fold(text, width, width - indent.length).join(`\n${indent}`)
}

function fold(text: string, first: number, rest = first): string[] {
  const folded: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    const room = folded.length === 0 ? first : rest
    if (line === '') line = word
    else if (line.length + 1 + word.length <= room) line += ` ${word}`
    else {
      folded.push(line)
      line = word
    }
  }
  return [...folded, line]
}

/** What a column says in every row, if that need not be repeated; '' where it says nothing at all. */
function sharedBy(rows: Rows, index: number): string | undefined {
  const first = rows[0]?.[index] ?? ''
  const same = rows.every((row) => (row[index] ?? '') === first)
  return same && index > 0 && (first === '' || rows.length > 1) ? first : undefined
}

function widthsOf(columns: readonly string[], rows: Rows): number[] {
  return columns.map((name, index) => Math.max(name.length, ...rows.map((row) => row[index]?.length ?? 0)))
}

function total(widths: readonly number[]): number {
  return widths.reduce((sum, width) => sum + width + 2, -2)
}

/** Takes from the widest column that has words to fold, as long as there is too much. */
function squeeze(columns: readonly string[], rows: Rows, width: number): number[] {
  const widths = widthsOf(columns, rows)
  const least = columns.map((name, index) =>
    Math.max(
      narrowest,
      name.length,
      ...rows.flatMap((row) => (row[index] ?? '').split(' ').map(({ length }) => length)),
    ),
  )
  for (;;) {
    const spare = widths.map((each, index) => (each > (least[index] ?? 0) ? each : 0))
    const widest = Math.max(0, ...spare)
    if (total(widths) <= width || widest === 0) return widths
    widths[spare.indexOf(widest)] = widest - 1
  }
}

function lines(columns: readonly string[], rows: Rows, widths: readonly number[]): string {
  const print = (cells: readonly string[]): string[] => {
    const folded = cells.map((cell, index) =>
      cell.length > (widths[index] ?? 0) ? fold(cell, widths[index] ?? 0) : [cell],
    )
    const height = Math.max(...folded.map(({ length }) => length))
    return Array.from({ length: height }, (_, at) =>
      folded
        .map((cell, index) =>
          index === cells.length - 1 ? (cell[at] ?? '') : (cell[at] ?? '').padEnd(widths[index] ?? 0),
        )
        .join('  ')
        .trimEnd(),
    )
  }
  return [columns.map((name) => name.toUpperCase()), ...rows].flatMap(print).join('\n')
}
