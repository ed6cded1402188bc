import { get } from '../access.ts'
import { descend, meter, step } from '../budget.ts'
import { type Code, type Emit, type Env, many, type Stop } from '../code.ts'
import { compare } from '../order.ts'
import { PathWriter, setPath } from '../paths.ts'
import { isArray, isObject, type Value } from '../value.ts'
import { type Builtins, missing } from './define.ts'
import { length } from './values.ts'

/** Values as streams of `[path, leaf]` events. */
export const streams: Builtins = {
  'tostream/0': () => many((_env, input, emit) => stream(input, [], emit)),
  'fromstream/1': (events = missing) => many((env, input, emit) => rebuild(events, env, input, emit)),
  'truncate_stream/1': (events = missing) => many((env, input, emit) => truncate(events, env, input, emit)),
}

/** Leaves in order; behind the last one of a container, the path of that last one alone. */
function stream(value: Value, path: readonly Value[], emit: Emit): Stop {
  descend()
  const keys = isArray(value) ? value.map((_item, at) => at) : isObject(value) ? Object.keys(value) : []
  step()
  let stop: Stop
  for (const key of keys) {
    stop = stream(get(value, key), [...path, key], emit)
    if (stop !== undefined) break
  }
  const last = keys.at(-1)
  if (stop === undefined) stop = last === undefined ? emit([[...path], value]) : emit([[...path, last]])
  meter.depth--
  return stop
}

function rebuild(events: Code, env: Env, input: Value, emit: Emit): Stop {
  let value: Value = null
  let complete = false
  return events.each(env, input, (event) => {
    step()
    if (complete) value = null
    const path = get(event, 0)
    const leaf = compare(length(event), 2) === 0
    complete = compare(length(path), leaf ? 0 : 1) === 0
    if (leaf) value = setPath(value, path, get(event, 1))
    return complete ? emit(value) : undefined
  })
}

function truncate(events: Code, env: Env, depth: Value, emit: Emit): Stop {
  return events.each(env, null, (event) => {
    const path = get(event, 0)
    if (compare(length(path), depth) <= 0) return undefined
    const writer = new PathWriter()
    return emit(writer.update(event, [0], () => get(path, { start: depth, end: null })))
  })
}
