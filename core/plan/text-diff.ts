/** Lines around a difference that are shown with it. */
const around = 3
/** Beyond so many different lines on each side the whole block counts as replaced: the table would be too large. */
const most = 2000

interface Line {
  readonly sign: ' ' | '-' | '+'
  readonly text: string
}

/** Unified diff of two texts, without a heading; '' when they are the same. */
export function textDiff(before: string, after: string): string {
  const lines = compare(before.split('\n'), after.split('\n'))
  const shown = new Set<number>()
  for (const [index, { sign }] of lines.entries()) {
    if (sign === ' ') continue
    for (let near = index - around; near <= index + around; near++) shown.add(near)
  }
  const output: string[] = []
  let [left, right] = [1, 1]
  for (let index = 0; index < lines.length; index++) {
    if (shown.has(index) && !shown.has(index - 1)) output.push(heading(lines, shown, index, left, right))
    const line = lines[index]
    if (line === undefined) break
    if (shown.has(index)) output.push(`${line.sign}${line.text}`)
    if (line.sign !== '+') left++
    if (line.sign !== '-') right++
  }
  return output.join('\n')
}

function heading(
  lines: readonly Line[],
  shown: ReadonlySet<number>,
  from: number,
  left: number,
  right: number,
): string {
  let to = from
  while (to < lines.length && shown.has(to)) to++
  const hunk = lines.slice(from, to)
  const removed = hunk.filter(({ sign }) => sign !== '+').length
  const added = hunk.filter(({ sign }) => sign !== '-').length
  return `@@ -${left},${removed} +${right},${added} @@`
}

function compare(before: readonly string[], after: readonly string[]): readonly Line[] {
  let start = 0
  while (start < before.length && start < after.length && before[start] === after[start]) start++
  let end = 0
  while (end < before.length - start && end < after.length - start && before.at(-1 - end) === after.at(-1 - end)) end++
  const kept = (text: string): Line => ({ sign: ' ', text })
  return [
    ...before.slice(0, start).map(kept),
    ...middle(before.slice(start, before.length - end), after.slice(start, after.length - end)),
    ...before.slice(before.length - end).map(kept),
  ]
}

/** By the longest common subsequence of lines. */
function middle(before: readonly string[], after: readonly string[]): readonly Line[] {
  const removed = (text: string): Line => ({ sign: '-', text })
  const added = (text: string): Line => ({ sign: '+', text })
  if (before.length > most || after.length > most) return [...before.map(removed), ...after.map(added)]
  const width = after.length + 1
  const lengths = new Uint16Array((before.length + 1) * width)
  const at = (i: number, j: number): number => lengths[i * width + j] ?? 0
  for (let i = before.length - 1; i >= 0; i--) {
    for (let j = after.length - 1; j >= 0; j--) {
      lengths[i * width + j] = before[i] === after[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1))
    }
  }
  const lines: Line[] = []
  for (let i = 0, j = 0; i < before.length || j < after.length; ) {
    const [left, right] = [before[i], after[j]]
    if (left !== undefined && left === right) {
      lines.push({ sign: ' ', text: left })
      i++
      j++
    } else if (right === undefined || (left !== undefined && at(i + 1, j) >= at(i, j + 1))) {
      lines.push(removed(left ?? ''))
      i++
    } else {
      lines.push(added(right))
      j++
    }
  }
  return lines
}
