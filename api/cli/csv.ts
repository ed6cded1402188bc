/** One line, as RFC 4180 has it. Lists have a space between, objects are JSON. */
export function csv(cells: readonly unknown[]): string {
  return cells
    .map(text)
    .map((cell) => (/[",\r\n]|^\s|\s$/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell))
    .join(',')
}

function text(value: unknown): string {
  if (value === null || value === undefined) return ''
  if (typeof value === 'string') return value
  if (Array.isArray(value) && value.every((part) => typeof part === 'string' && !/\s/.test(part)))
    return value.join(' ')
  return JSON.stringify(value)
}
