import type { Definition, Node } from './ast.ts'
import { bind, plainVariable } from './bind.ts'
import { descend, meter } from './budget.ts'
import { Cell, type Code, type Env, many, type Stop } from './code.ts'
import { ancestor } from './control.ts'
import { type Callee, type Instance, type Scope, withCell } from './scope.ts'

type CompileNode = (node: Node, scope: Scope) => Code

/** Calls that are inlined at most, so that definitions which double each other stay small. */
const mostInlined = 2000

const onlyVariable = { matchers: [plainVariable], size: 1 }

/**
 * Calls of definitions and of their parameters. A call is normally inlined: the body is compiled anew where it is called,
 * with the arguments in the place of the parameters, so that it is as cheap as if it had been written out. A recursive
 * definition is compiled once and called with its arguments as closures.
 */
export class Calls {
  readonly #compile: CompileNode
  #inlined = 0

  constructor(compile: CompileNode) {
    this.#compile = compile
  }

  define(definition: Definition, scope: Scope): Scope {
    const instance: Instance = {
      definition,
      names: scope.names,
      depth: scope.depth,
      recursive: calls(definition.body, definition.name, definition.parameters.length),
      body: null,
    }
    return { ...scope, names: { kind: 'function', name: definition.name, instance, up: scope.names } }
  }

  call(callee: Callee, parameters: readonly Node[], scope: Scope): Code {
    switch (callee.kind) {
      case 'argument':
        return this.#compile(callee.node, { names: callee.names, depth: scope.depth })
      case 'parameter':
        return parameter(scope.depth - callee.level)
      case 'function': {
        const { instance } = callee
        if (instance.recursive || ++this.#inlined > mostInlined) return this.#jump(instance, parameters, scope)
        return this.#inline(instance, parameters, scope)
      }
    }
  }

  #inline(instance: Instance, parameters: readonly Node[], scope: Scope): Code {
    const { definition } = instance
    let inner: Scope = { names: instance.names, depth: scope.depth }
    const values: Code[] = []
    for (const [at, name] of definition.parameters.entries()) {
      const node = parameters[at]
      if (node === undefined) throw new Error('arity is part of the name that was looked up')
      const plain = name.replace('$', '')
      if (plain !== name) {
        values.push(this.#compile(node, { names: scope.names, depth: inner.depth }))
        inner = withCell(inner, 'variable', plain)
      }
      inner = { ...inner, names: { kind: 'argument', name: plain, node, names: scope.names, up: inner.names } }
    }
    const body = this.#compile(definition.body, inner)
    return values.reduceRight((code, value) => bind(value, onlyVariable, code), body)
  }

  #jump(instance: Instance, parameters: readonly Node[], scope: Scope): Code {
    const { definition } = instance
    const closures = parameters.map((node) => this.#compile(node, scope))
    const hops = scope.depth - instance.depth
    const values = definition.parameters.flatMap((name, at) => (name.startsWith('$') ? [closures[at]] : []))
    if (instance.body === null) this.#prepare(instance)
    /** A new environment below the definition's, then the `$` parameters by value, the first in the outer loop. */
    const enter = (env: Env, input: Parameters<Code['each']>[1], body: (inner: Env) => Stop): Stop => {
      descend()
      let inner: Env = hops === 0 ? env : ancestor(env, hops - 1).up
      for (const code of closures) inner = new Cell(null, { code, env }, inner)
      const from = (at: number, bound: Env): Stop => {
        const value = values[at]
        if (value === undefined) return body(bound)
        return value.each(env, input, (result) => from(at + 1, new Cell(result, null, bound)))
      }
      const stop = from(0, inner)
      meter.depth--
      return stop
    }
    return many(
      (env, input, emit) => enter(env, input, (inner) => bodyOf(instance).each(inner, input, emit)),
      (env, input, place, emit) => enter(env, input, (inner) => bodyOf(instance).walk(inner, input, place, emit)),
    )
  }

  #prepare(instance: Instance): void {
    const { definition } = instance
    // Calls inside the body find this and are resolved when they run.
    instance.body = many(() => undefined)
    let inner: Scope = {
      names: { kind: 'function', name: definition.name, instance, up: instance.names },
      depth: instance.depth,
    }
    const plain = definition.parameters.map((name) => name.replace('$', ''))
    for (const name of plain) inner = withCell(inner, 'parameter', name)
    for (const name of definition.parameters) {
      if (name.startsWith('$')) inner = withCell(inner, 'variable', name.slice(1))
    }
    instance.body = this.#compile(definition.body, inner)
  }
}

function bodyOf(instance: Instance): Code {
  if (instance.body === null) throw new Error('a definition is prepared before it is called')
  return instance.body
}

function parameter(hops: number): Code {
  return many(
    (env, input, emit) => {
      const { closure } = ancestor(env, hops)
      return closure?.code.each(closure.env, input, emit)
    },
    (env, input, place, emit) => {
      const { closure } = ancestor(env, hops)
      return closure?.code.walk(closure.env, input, place, emit)
    },
  )
}

/** Whether a tree mentions this name. Shadowing is not looked at: a false alarm costs only speed. */
function calls(tree: unknown, name: string, arity: number): boolean {
  if (typeof tree !== 'object' || tree === null) return false
  if (isCall(tree) && tree.name === name && tree.parameters.length === arity) return true
  return Object.values(tree).some((part) => calls(part, name, arity))
}

function isCall(node: object): node is Extract<Node, { kind: 'call' }> {
  return 'kind' in node && node.kind === 'call'
}
