import type { Modes, Reader } from './reader.ts'
import { empty, type Node, RegexError } from './syntax.ts'

/** What stands in parentheses; the opening one is taken. Null where it was only a change of options or a comment. */
export function parseGroup(reader: Reader): Node | null {
  if (reader.peek() === '*') throw new RegexError('callouts are not supported')
  if (!reader.accept('?')) return capture(reader, null)
  if (reader.done) throw new RegexError('end pattern in group')
  if (reader.accept('#')) return comment(reader)
  if (reader.accept(':')) return inside(reader)
  if (reader.accept('>')) return { kind: 'atomic', body: inside(reader) }
  if (reader.accept('~')) return { kind: 'absent', body: inside(reader) }
  if (reader.accept('(')) return condition(reader)
  if (reader.accept("'")) return capture(reader, groupName(reader, "'"))
  const look = reader.match(/<?[=!]/y)
  if (look !== null) {
    const [mark] = look
    const before = reader.groups
    const body = inside(reader)
    const negative = mark.endsWith('!')
    const behind = mark.startsWith('<')
    if (negative && behind && reader.groups > before) throw new RegexError('invalid pattern in look-behind')
    return { kind: 'look', behind, negative, body }
  }
  if (reader.accept('<')) return capture(reader, groupName(reader, '>'))
  const call = reader.match(/&([^)]*)\)|R\)|([+-]?\d+)\)/y)
  if (call !== null) return callTo(reader, call[1] ?? call[2] ?? '0')
  return options(reader)
}

function groupName(reader: Reader, close: string): string {
  const name = reader.name(close)
  if (!/^[\p{L}_][\p{L}\p{N}_]*$/u.test(name)) throw new RegexError(`invalid group name <${name}>`)
  return name
}

/** Up to the closing parenthesis; options changed inside end with it. */
function inside(reader: Reader): Node {
  const { modes } = reader
  const body = reader.branches()
  reader.modes = modes
  if (!reader.accept(')')) throw new RegexError('end pattern with unmatched parenthesis')
  return body
}

function capture(reader: Reader, name: string | null): Node {
  const group = ++reader.groups
  if (name !== null) reader.names.push({ name, group })
  const node: Node = { kind: 'capture', group, body: inside(reader) }
  reader.bodies.set(group, node)
  return node
}

function comment(reader: Reader): null {
  for (;;) {
    if (reader.done) throw new RegexError('end pattern in group')
    const character = reader.take()
    if (character === ')') return null
    if (character === '\\') reader.take()
  }
}

export function callTo(reader: Reader, reference: string): Node {
  const groups: number[] = []
  const call = { kind: 'call' as const, group: -1 }
  if (/^[+-]?\d+$/.test(reference)) call.group = Number(reference) === 0 ? 0 : (reader.resolve(reference)[0] ?? 0)
  reader.later(() => {
    if (call.group < 0) groups.push(...reader.resolve(reference))
    if (call.group > reader.groups) throw new RegexError('undefined group reference')
    if (groups.length > 1) throw new RegexError(`multiplex definition name <${reference}> call`)
    if (call.group < 0) call.group = groups[0] ?? 0
  })
  return call
}

function condition(reader: Reader): Node {
  const match = reader.match(/<([^>]*)>\)|'([^']*)'\)|([+-]?\d+)\)/y)
  if (match === null) throw new RegexError('only groups can be conditions')
  const groups = reader.resolve(match[1] ?? match[2] ?? match[3] ?? '')
  reader.later(() => {
    if (groups.some((group) => group > reader.groups)) throw new RegexError('invalid backref number/name')
  })
  const body = inside(reader)
  const [consequence = empty, ...others] = body.kind === 'either' ? body.branches : [body]
  if (others.length > 1) throw new RegexError('invalid conditional pattern')
  return { kind: 'condition', groups, consequence, otherwise: others[0] ?? empty }
}

const letters: { readonly [letter: string]: (on: boolean) => Partial<Modes> } = {
  i: (on) => ({ ignoreCase: on }),
  x: (on) => ({ extended: on }),
  s: (on) => ({ dotAll: on }),
  m: (on) => ({ lines: on }),
}

/** `(?i-m)` changes the rest of the group around it, `(?i-m:...)` what is inside. */
function options(reader: Reader): Node | null {
  const before = reader.modes
  let on = true
  for (;;) {
    if (reader.done) throw new RegexError('end pattern in group')
    const letter = reader.take()
    if (letter === ')') return null
    if (letter === ':') {
      const body = inside(reader)
      reader.modes = before
      return body
    }
    const change = letters[letter]
    if (letter === '-') on = false
    else if (change === undefined) throw new RegexError('undefined group option')
    else reader.modes = { ...reader.modes, ...change(on) }
  }
}
