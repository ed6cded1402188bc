/** Offsets of the match and its groups in UTF-16 units: start and end of each, -1 where a group took no part. */
export type Match = readonly number[]

export interface Regex {
  /** Number of capture groups. */
  readonly groups: number
  /** Names of groups in order; a name may stand for several groups. */
  readonly names: readonly { readonly name: string; readonly group: number }[]
  search(text: string, from: number): Match | null
}

export interface RegexOptions {
  readonly ignoreCase: boolean
  readonly extended: boolean
  /** `.` matches a newline. */
  readonly dotAll: boolean
  readonly longest: boolean
  readonly notEmpty: boolean
}

export function compileRegex(pattern: string, options: RegexOptions): Regex {
  const expression = new RegExp(pattern, `gdu${options.ignoreCase ? 'i' : ''}${options.dotAll ? 's' : ''}`)
  return {
    groups: new RegExp(`${pattern}|`, 'u').exec('')?.length ?? 1 - 1,
    names: [],
    search(text, from) {
      expression.lastIndex = from
      const match = expression.exec(text)
      return match?.indices?.flatMap((pair) => pair ?? [-1, -1]) ?? null
    },
  }
}
