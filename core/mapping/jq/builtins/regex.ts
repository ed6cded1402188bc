import { applied, type Code, type Emit, type Env, many, type Stop, single } from '../code.ts'
import { fail } from '../errors.ts'
import { add } from '../operate.ts'
import { compileRegex, type Match, type Regex, RegexError, type RegexOptions } from '../regex/index.ts'
import { concat, hasSurrogates, textLength } from '../text.ts'
import { type Draft, isArray, kindOf, put, type Value } from '../value.ts'
import { type Builtins, missing, typeError } from './define.ts'

/** Regular expressions. Patterns are compiled once: most are literals, and the others repeat from item to item. */
export const regex: Builtins = {
  'test/1': (re = missing) => fixedTest(re, null) ?? onPattern(re, null, isMatch),
  'test/2': (re = missing, flags = missing) => fixedTest(re, flags) ?? onPattern(re, flags, isMatch),
  'match/1': (re = missing) => onPattern(re, null, eachMatch),
  'match/2': (re = missing, flags = missing) => onPattern(re, flags, eachMatch),
  'capture/1': (re = missing) => onPattern(re, null, eachCapture),
  'capture/2': (re = missing, flags = missing) => onPattern(re, flags, eachCapture),
  'scan/1': (re = missing) => scan(re, null),
  'scan/2': (re = missing, flags = missing) => scan(re, flags),
  'split/2': (re = missing, flags = missing) =>
    many((env, input, emit) =>
      overFlags(re, flags, env, input, (pattern, mode) => emit(pieces(input, pattern, add(mode, 'g')))),
    ),
  'splits/1': (re = missing) => splits(re, null),
  'splits/2': (re = missing, flags = missing) => splits(re, flags),
  'sub/2': (re = missing, by = missing) => substitute(re, by, null, ''),
  'sub/3': (re = missing, by = missing, flags = missing) => substitute(re, by, flags, ''),
  'gsub/2': (re = missing, by = missing) => substitute(re, by, null, 'g'),
  'gsub/3': (re = missing, by = missing, flags = missing) => substitute(re, by, flags, 'g'),
}

/** `test` of a pattern that is known now, which nearly all are: compiled when it is first reached. */
function fixedTest(re: Code, flags: Code | null): Code | null {
  const source = re.constant
  const mode = flags === null ? null : flags.constant
  if (typeof source !== 'string' || (mode !== null && typeof mode !== 'string')) return null
  let regex: Regex | undefined
  return applied((input) => {
    const text = subject(input)
    regex ??= patternOf(source, mode).regex
    return regex.test(text)
  })
}

interface Pattern {
  readonly regex: Regex
  readonly global: boolean
}

const cache = new Map<string, Pattern>()

function patternOf(re: Value, flags: Value): Pattern {
  if (typeof re !== 'string') return typeError(re, 'is not a string')
  if (flags !== null && typeof flags !== 'string') return typeError(flags, 'is not a string')
  const key = `${flags ?? ''}/${re}`
  const known = cache.get(key)
  if (known !== undefined) return known
  const pattern = { regex: compileChecked(re, optionsOf(flags ?? '')), global: flags?.includes('g') ?? false }
  if (cache.size >= 1000) cache.clear()
  cache.set(key, pattern)
  return pattern
}

function compileChecked(re: string, options: RegexOptions): Regex {
  try {
    return compileRegex(re, options)
  } catch (error) {
    if (error instanceof RegexError) return fail(`Regex failure: ${error.message}`)
    throw error
  }
}

function optionsOf(flags: string): RegexOptions {
  if (/[^gimnpslx]/u.test(flags)) fail(`${flags} is not a valid modifier string`)
  return {
    ignoreCase: flags.includes('i'),
    extended: flags.includes('x'),
    dotAll: flags.includes('m') || flags.includes('p'),
    longest: flags.includes('l'),
    notEmpty: flags.includes('n'),
  }
}

/** `name(re)` takes a pattern or `[pattern, flags]`; `name(re; flags)` runs the flags in the outer loop. */
function onPattern(
  re: Code,
  flags: Code | null,
  apply: (input: Value, re: Value, flags: Value, emit: Emit) => Stop,
): Code {
  return many((env, input, emit) => {
    if (flags !== null) {
      return flags.each(env, input, (mode) => re.each(env, input, (pattern) => apply(input, pattern, mode, emit)))
    }
    return re.each(env, input, (pattern) => {
      if (typeof pattern === 'string') return apply(input, pattern, null, emit)
      if (!isArray(pattern) || pattern.length === 0) return fail(`${kindOf(pattern)} not a string or array`)
      return apply(input, pattern[0] ?? null, pattern[1] ?? null, emit)
    })
  })
}

function overFlags(
  re: Code,
  flags: Code | null,
  env: Env,
  input: Value,
  apply: (re: Value, flags: Value) => Stop,
): Stop {
  return re.each(env, input, (pattern) =>
    flags === null ? apply(pattern, null) : flags.each(env, input, (mode) => apply(pattern, mode)),
  )
}

function subject(input: Value): string {
  return typeof input === 'string' ? input : typeError(input, 'cannot be matched, as it is not a string')
}

function eachOf(text: string, { regex, global }: Pattern): Match[] {
  return regex.matches(text, global)
}

function isMatch(input: Value, re: Value, flags: Value, emit: Emit): Stop {
  const text = subject(input)
  return emit(patternOf(re, flags).regex.test(text))
}

function eachMatch(input: Value, re: Value, flags: Value, emit: Emit): Stop {
  const text = subject(input)
  const pattern = patternOf(re, flags)
  for (const match of eachOf(text, pattern)) {
    const stop = emit(describe(text, match, pattern.regex))
    if (stop !== undefined) return stop
  }
  return undefined
}

/** What `match` gives: offsets and lengths in code points. */
function describe(text: string, match: Match, { names }: Regex): Value {
  const [start = 0, end = 0] = match
  const wide = hasSurrogates(text)
  const offset = (unit: number): number => (wide ? textLength(text.slice(0, unit)) : unit)
  const captures: Draft[] = []
  for (let at = 2; at < match.length; at += 2) {
    const from = match[at] ?? -1
    const to = match[at + 1] ?? -1
    const hollow = from < 0 || start === end || from === to
    // Of an empty match jq gives empty groups its own offset, wherever they are; and empty groups in another order.
    captures.push(
      hollow
        ? {
            offset: from < 0 ? -1 : offset(start === end ? start : from),
            string: from < 0 ? null : '',
            length: 0,
            name: null,
          }
        : { offset: offset(from), length: textLength(text.slice(from, to)), string: text.slice(from, to), name: null },
    )
  }
  for (const { name, group } of names) {
    const capture = captures[group - 1]
    if (capture !== undefined) capture['name'] = name
  }
  const string = text.slice(start, end)
  return { offset: offset(start), length: textLength(string), string, captures }
}

/** The named groups of a match as an object. */
function namedGroups(text: string, match: Match, { names }: Regex): Value {
  if (names.length === 0) return {}
  const draft: Draft = {}
  for (const { name, group } of [...names].sort((a, b) => a.group - b.group)) {
    put(draft, name, groupText(text, match, group))
  }
  return draft
}

function groupText(text: string, match: Match, group: number): string | null {
  const from = match[group * 2] ?? -1
  if (from < 0) return null
  return match[0] === match[1] ? '' : text.slice(from, match[group * 2 + 1])
}

function eachCapture(input: Value, re: Value, flags: Value, emit: Emit): Stop {
  const text = subject(input)
  const pattern = patternOf(re, flags)
  for (const match of eachOf(text, pattern)) {
    const stop = emit(namedGroups(text, match, pattern.regex))
    if (stop !== undefined) return stop
  }
  return undefined
}

function scan(re: Code, flags: Code | null): Code {
  return many((env, input, emit) =>
    overFlags(re, flags, env, input, (source, mode) => {
      const pattern = patternOf(...globally(input, source, mode))
      const text = subject(input)
      const { groups } = pattern.regex
      for (const match of eachOf(text, pattern)) {
        const whole: Value = text.slice(match[0], match[1])
        const parts = Array.from({ length: groups }, (_part, at) => groupText(text, match, at + 1))
        const stop = emit(groups > 0 ? parts : whole)
        if (stop !== undefined) return stop
      }
      return undefined
    }),
  )
}

/** Pattern and flags with `g`; in the order in which jq finds mistakes. */
function globally(input: Value, re: Value, flags: Value): [Value, Value] {
  const mode = add('g', flags)
  subject(input)
  return [re, mode]
}

/** The text between matches. */
function pieces(input: Value, re: Value, flags: Value): Value[] {
  const text = subject(input)
  const parts: Value[] = []
  let previous = 0
  for (const match of eachOf(text, patternOf(re, flags))) {
    parts.push(text.slice(previous, match[0]))
    previous = match[1] ?? 0
  }
  parts.push(text.slice(previous))
  return parts
}

function splits(re: Code, flags: Code | null): Code {
  return many((env, input, emit) =>
    overFlags(re, flags, env, input, (pattern, mode) => {
      for (const part of pieces(input, pattern, add(mode, 'g'))) {
        const stop = emit(part)
        if (stop !== undefined) return stop
      }
      return undefined
    }),
  )
}

/** `sub` and `gsub`: with several replacements there are several outputs, the nth made of the nth of each match. */
function substitute(re: Code, by: Code, flags: Code | null, always: string): Code {
  const one = by.one
  const fixed = replaceFixed(re, by, flags, always)
  if (fixed !== null) return fixed
  if (one !== null && re.one !== null && (flags === null || flags.one !== null)) {
    return single((env, input) => {
      const source = re.one?.(env, input)
      const mode = flags === null ? '' : flags.one?.(env, input)
      if (source === undefined || mode === undefined) return undefined
      const all = withFlag(mode, always)
      const text = subject(input)
      const pattern = patternOf(source, all)
      let result: Value = null
      let previous = 0
      for (const match of eachOf(text, pattern)) {
        const insert = one(env, namedGroups(text, match, pattern.regex))
        if (insert !== undefined) result = join(result, text.slice(previous, match[0]), insert)
        previous = match[1] ?? 0
      }
      // Where nothing is inserted at all, jq gives the text back.
      return typeof result === 'string' ? concat(result, text.slice(previous)) : text
    })
  }
  return many((env, input, emit) =>
    overFlags(re, flags, env, input, (source, mode) => {
      const all = withFlag(mode, always)
      const text = subject(input)
      return substituteEach(text, patternOf(source, all), by, env, emit)
    }),
  )
}

/** A pattern, a text and flags that are known now: nothing but the text is needed. */
function replaceFixed(re: Code, by: Code, flags: Code | null, always: string): Code | null {
  const source = re.constant
  const insert = by.constant
  const mode = flags === null ? '' : flags.constant
  if (typeof source !== 'string' || typeof insert !== 'string' || typeof mode !== 'string') return null
  let pattern: Pattern | undefined
  return applied((input) => {
    const text = subject(input)
    pattern ??= patternOf(source, mode + always)
    const found = eachOf(text, pattern)
    if (found.length === 0) return text
    let result = ''
    let previous = 0
    for (const [start = 0, end = 0] of found) {
      result = concat(result, text.slice(previous, start) + insert)
      previous = end
    }
    return concat(result, text.slice(previous))
  })
}

/** Flags with the one that `gsub` always has. */
function withFlag(flags: Value, always: string): Value {
  return always === '' ? flags : add(flags, always)
}

function join(before: Value, gap: string, insert: Value): Value {
  return add(before, add(gap, insert))
}

function substituteEach(text: string, pattern: Pattern, by: Code, env: Env, emit: Emit): Stop {
  const found = eachOf(text, pattern)
  if (found.length === 0) return emit(text)
  const results: Value[] = []
  let previous = 0
  for (const match of found) {
    const gap = text.slice(previous, match[0])
    let at = 0
    const stop = by.each(env, namedGroups(text, match, pattern.regex), (insert) => {
      results[at] = join(results[at] ?? null, gap, insert)
      at++
      return undefined
    })
    if (stop !== undefined) return stop
    previous = match[1] ?? 0
  }
  if (results.length === 0) return emit(text)
  for (const result of results) {
    const stop = emit(add(result, text.slice(previous)))
    if (stop !== undefined) return stop
  }
  return undefined
}
