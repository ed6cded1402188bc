/** A hint with the most similar name, if one is similar enough; `name/2` with another arity counts as very similar. */
export function nearest(wanted: string, names: readonly string[]): string | undefined {
  const [base = ''] = wanted.split('/')
  const same = names.filter((name) => name.split('/')[0] === base)
  if (same.length > 0) {
    const counts = same.map((name) => name.split('/')[1]).join(' or ')
    return `${base} takes ${counts} arguments, separated by ;`
  }
  const ranked = names
    .map((name) => ({ name: name.split('/')[0] ?? '', distance: distance(base, name.split('/')[0] ?? '') }))
    .sort((a, b) => a.distance - b.distance)
  const [best] = ranked
  return best !== undefined && best.distance <= Math.max(1, base.length / 3) ? `did you mean ${best.name}?` : undefined
}

/** Levenshtein. */
function distance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_x, at) => at)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const change = (previous[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      row.push(Math.min(change, (previous[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1))
    }
    previous = row
  }
  return previous[b.length] ?? 0
}
