import { field, index, iterate, slice } from './access.ts'
import type { Node, NodeOf, Pattern } from './ast.ts'
import {
  bind,
  type FieldMatcher,
  foreach,
  type Matcher,
  matchArray,
  matchObject,
  matchVariable,
  type Patterns,
  plainVariable,
  reduce,
} from './bind.ts'
import { recurse } from './builtins/generate.ts'
import { builtinNames, findBuiltin, whyRefused } from './builtins/index.ts'
import { Calls } from './call.ts'
import { after, type Code, constant, identity, single, still } from './code.ts'
import { array, object, text } from './construct.ts'
import { alternative, ancestor, attempt, breakTo, comma, conditional, label, logic, pipe } from './control.ts'
import { JqSyntaxError } from './errors.ts'
import { formatter } from './formats.ts'
import { excerpt } from './json-write.ts'
import { binary, negate } from './operate.ts'
import { lookUp, lookUpCall, type Scope, withCell } from './scope.ts'
import type { Sharing } from './share.ts'
import { nearest } from './suggest.ts'
import { type Trace, traced } from './trace.ts'
import { assign, modify, modifyBy } from './update.ts'
import { isNumber, kindOf } from './value.ts'

const everything = recurse(iterate(identity, true))

/** Turns a tree into closures, one compiler per program. A scope says which names a node sees. */
export class Compiler {
  readonly #source: string
  readonly #trace: Trace | undefined
  readonly #sharing: Sharing | undefined
  readonly #calls = new Calls((node, scope) => this.compile(node, scope))

  constructor(source: string, trace: Trace | undefined, sharing?: Sharing) {
    this.#source = source
    this.#trace = trace
    this.#sharing = sharing
  }

  compile(node: Node, scope: Scope): Code {
    const code = this.#node(node, scope)
    // Literals say nothing new, and neither does the input itself where it is not written (`.a` is one of it).
    const silent = code.constant !== undefined || node.start === node.end
    const told = this.#trace === undefined || silent ? code : traced(code, node, this.#trace)
    return this.#sharing === undefined ? told : this.#sharing.wrap(node, told)
  }

  #node(node: Node, scope: Scope): Code {
    switch (node.kind) {
      case 'identity':
        return identity
      case 'recurse':
        return everything
      case 'literal':
        return constant(node.value)
      case 'format':
        return after(identity, formatter(node.format))
      case 'text':
        return text(
          node.format,
          node.parts.map((part) => (typeof part === 'string' ? part : this.compile(part, scope))),
        )
      case 'index':
      case 'slice':
      case 'iterate':
        return this.#access(node, scope)
      case 'array':
        return array(node.body === null ? null : this.compile(node.body, scope))
      case 'object':
        return object(
          node.entries.map(({ key, value }) => ({ key: this.#key(key, scope), value: this.compile(value, scope) })),
        )
      case 'negate': {
        const operand = this.compile(node.operand, scope)
        return operand.constant !== undefined && isNumber(operand.constant)
          ? constant(negate(operand.constant))
          : after(operand, negate)
      }
      case 'if':
        return conditional(
          this.compile(node.condition, scope),
          this.compile(node.consequence, scope),
          node.otherwise === null ? identity : this.compile(node.otherwise, scope),
        )
      case 'try':
        return attempt(this.compile(node.body, scope), node.handler === null ? null : this.compile(node.handler, scope))
      case 'reduce':
      case 'foreach':
      case 'bind':
        return this.#binding(node, scope)
      case 'label':
        return label(this.compile(node.body, withCell(scope, 'label', node.name)))
      case 'break':
        return breakTo(scope.depth - this.#level(node, scope, 'label', `$*label-${node.name} is not defined`))
      case 'define':
        return this.compile(node.body, this.#calls.define(node.definition, scope))
      case 'variable':
        return this.#variable(node, scope)
      case 'call':
        return this.#call(node, scope)
      case 'pipe':
      case 'comma':
      case 'binary':
      case 'logic':
      case 'alternative':
      case 'assign':
        return this.#operator(node, scope)
    }
  }

  #operator(node: NodeOf<'pipe' | 'comma' | 'binary' | 'logic' | 'alternative' | 'assign'>, scope: Scope): Code {
    const left = this.compile(node.left, scope)
    const right = this.compile(node.right, scope)
    switch (node.kind) {
      case 'pipe':
        return pipe(left, right)
      case 'comma':
        return comma(left, right)
      case 'binary':
        return binary(node.operator, left, right)
      case 'logic':
        return logic(node.operator, left, right)
      case 'alternative':
        return alternative(left, right)
      case 'assign':
        if (node.operator === '=') return assign(left, right)
        return node.operator === '|=' ? modify(left, right) : modifyBy(node.operator, left, right)
    }
  }

  #access(node: NodeOf<'index' | 'slice' | 'iterate'>, scope: Scope): Code {
    const target = this.compile(node.target, scope)
    if (node.kind === 'iterate') return iterate(target, node.optional)
    if (node.kind === 'slice') {
      const from = node.from === null ? null : this.compile(node.from, scope)
      return slice(target, from, node.to === null ? null : this.compile(node.to, scope), node.optional)
    }
    const key = this.compile(node.key, scope)
    return typeof key.constant === 'string'
      ? field(target, key.constant, node.optional)
      : index(target, key, node.optional)
  }

  /** Keys known now are checked now. */
  #key(node: Node, scope: Scope): Code {
    const key = this.compile(node, scope)
    if (key.constant !== undefined && typeof key.constant !== 'string') {
      const what = `Cannot use ${kindOf(key.constant)} (${excerpt(key.constant)}) as object key`
      throw new JqSyntaxError('expression_syntax', what, node, 'turn it into a string with tostring')
    }
    return key
  }

  #binding(node: NodeOf<'reduce' | 'foreach' | 'bind'>, scope: Scope): Code {
    const source = this.compile(node.source, scope)
    const { patterns, inner } = this.#patterns(node.patterns, scope)
    if (node.kind === 'bind') return bind(source, patterns, this.compile(node.body, inner))
    const init = this.compile(node.init, scope)
    const update = this.compile(node.update, inner)
    if (node.kind === 'reduce') return reduce(source, patterns, init, update)
    const extract = node.extract === null ? identity : this.compile(node.extract, inner)
    return foreach(source, patterns, init, update, extract)
  }

  /** All variables of all alternatives are bound in each; those of the others are null. */
  #patterns(list: readonly Pattern[], scope: Scope): { patterns: Patterns; inner: Scope } {
    const [only] = list
    if (list.length === 1 && only?.kind === 'variable') {
      return { patterns: { matchers: [plainVariable], size: 1 }, inner: withCell(scope, 'variable', only.name) }
    }
    const slots = new Map<string, number>()
    const matchers = list.map((pattern) => this.#matcher(pattern, scope, slots, new Set()))
    let inner = scope
    for (const name of slots.keys()) inner = withCell(inner, 'variable', name)
    return { patterns: { matchers, size: slots.size }, inner }
  }

  /** `bound` are the names this pattern has bound already: the first to be matched wins. */
  #matcher(pattern: Pattern, scope: Scope, slots: Map<string, number>, bound: Set<string>): Matcher {
    const slot = (name: string): number | null => {
      if (bound.has(name)) return null
      bound.add(name)
      const at = slots.get(name) ?? slots.size
      slots.set(name, at)
      return at
    }
    if (pattern.kind === 'variable') return matchVariable(slot(pattern.name))
    if (pattern.kind === 'array') {
      const reversed = pattern.items.toReversed().map((item) => this.#matcher(item, scope, slots, bound))
      return matchArray(reversed.reverse())
    }
    return matchObject(
      pattern.entries.map((entry): FieldMatcher => {
        const key = this.#key(entry.key, scope)
        const own = entry.variable === undefined ? null : slot(entry.variable)
        const inner = entry.pattern === undefined ? null : this.#matcher(entry.pattern, scope, slots, bound)
        return { key, slot: own, inner }
      }),
    )
  }

  #level(node: NodeOf<'break' | 'variable'>, scope: Scope, kind: 'label' | 'variable', problem: string): number {
    const level = lookUp(scope.names, kind, node.name)
    if (level === undefined) throw new JqSyntaxError('expression_undefined', problem, node)
    return level
  }

  #variable(node: NodeOf<'variable'>, scope: Scope): Code {
    if (node.name === '__loc__') {
      const line = this.#source.slice(0, node.start).split('\n').length
      return constant({ file: '<top-level>', line })
    }
    if (node.name === 'ENV' && lookUp(scope.names, 'variable', 'ENV') === undefined)
      return this.#environment(node, scope)
    const level = this.#level(node, scope, 'variable', `$${node.name} is not defined`)
    return read(scope.depth - level)
  }

  /** `env` and `$ENV` are a variable that the caller declares; the environment of the process is nobody's business. */
  #environment(node: Node, scope: Scope): Code {
    const level = lookUp(scope.names, 'variable', 'env')
    if (level !== undefined) return read(scope.depth - level)
    throw new JqSyntaxError('expression_refused', `$ENV is refused: ${whyRefused('env/0')}`, node)
  }

  #call(node: NodeOf<'call'>, scope: Scope): Code {
    const { name, parameters } = node
    const callee = lookUpCall(scope.names, name, parameters.length)
    if (callee !== undefined) return this.#calls.call(callee, parameters, scope)
    const signature = `${name}/${parameters.length}`
    if (signature === 'env/0') return this.#environment(node, scope)
    if (signature === 'builtins/0') return constant([...builtinNames])
    const build = findBuiltin(signature)
    if (build !== undefined) return build(...parameters.map((parameter) => this.compile(parameter, scope)))
    const reason = whyRefused(signature)
    if (reason !== undefined) throw new JqSyntaxError('expression_refused', `${name} is refused: ${reason}`, node)
    throw new JqSyntaxError(
      'expression_undefined',
      `${signature} is not defined`,
      node,
      nearest(signature, builtinNames),
    )
  }
}

function read(hops: number): Code {
  if (hops === 0) return variable((env) => env?.value ?? null)
  if (hops === 1) return variable((env) => env?.up?.value ?? null)
  return variable((env) => ancestor(env, hops).value)
}

function variable(one: (env: Parameters<Code['each']>[0]) => ReturnType<typeof ancestor>['value']): Code {
  return single(
    one,
    still((env, _input, emit) => emit(one(env))),
  )
}
