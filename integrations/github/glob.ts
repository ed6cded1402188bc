/** Does a path fit a pattern? `*` and `?` stay within one name, `**` stands for any folders, `{a,b}` for either. */
export function fits(pattern: string, path: string): boolean {
  const names = path.split('/')
  return alternatives(pattern).some((one) => fitsNames(one.split('/'), names))
}

/** At most so many, whatever the braces: a pattern is somebody's text. */
const alternativesAtMost = 64

function alternatives(pattern: string): readonly string[] {
  let all = [pattern]
  while (all.length < alternativesAtMost) {
    const next = all.flatMap((one) => {
      const [whole, before = '', list = '', after = ''] = /^(.*?)\{([^{}]*,[^{}]*)\}(.*)$/s.exec(one) ?? []
      return whole === undefined ? [one] : list.split(',').map((choice) => before + choice + after)
    })
    if (next.length === all.length) return next
    all = next
  }
  return all.slice(0, alternativesAtMost)
}

/** Row by row over the pattern, so that no pattern costs more than its length times that of the path. */
function fitsNames(pattern: readonly string[], names: readonly string[]): boolean {
  let reached = new Set([0])
  for (const part of pattern) {
    const next = new Set<number>()
    for (const at of reached) {
      if (part === '**') for (let end = at; end <= names.length; end += 1) next.add(end)
      else if (at < names.length && fitsName(part, names[at] ?? '')) next.add(at + 1)
    }
    reached = next
  }
  return reached.has(names.length)
}

function fitsName(pattern: string, name: string): boolean {
  let at = 0
  let star = -1
  let mark = 0
  let p = 0
  while (at < name.length) {
    if (p < pattern.length && pattern[p] === '*') {
      star = p
      mark = at
      p += 1
    } else if (p < pattern.length && (pattern[p] === '?' || pattern[p] === name[at])) {
      p += 1
      at += 1
    } else if (star >= 0) {
      mark += 1
      at = mark
      p = star + 1
    } else return false
  }
  while (pattern[p] === '*') p += 1
  return p === pattern.length
}
