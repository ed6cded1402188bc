import { get, iterate } from '../access.ts'
import { type Code, constant, identity, isIntact, many, type Place, settle, single } from '../code.ts'
import { deletePaths, eachPath, gatherPaths, getPath, PathWriter, path, setPath } from '../paths.ts'
import { modify } from '../update.ts'
import { isArray, isTrue, type Value } from '../value.ts'
import { type Builtins, missing, ofOne, ofTwo } from './define.ts'
import { recurse } from './generate.ts'

/** Paths: where something stands, and changes at such a place. */
export const paths: Builtins = {
  'path/1': (f = missing) => path(f),
  'paths/0': () => below(constant(true)),
  'paths/1': (filter = missing) => below(filter),
  'getpath/1': (keys = missing) => ({
    ...ofOne(getPath)(keys),
    walk: (env, input, place, emit) =>
      keys.each(env, input, (list) => {
        const value = getPath(input, list)
        if (!isIntact(input, place) || !isArray(list)) return emit(value, place)
        let found: Place = place
        for (const key of list) found = { at: get(found.at, key), key, up: found }
        return emit(value, found)
      }),
  }),
  'setpath/2': ofTwo(setPath),
  'delpaths/1': ofOne(deletePaths),
  'del/1': (f = missing) => single((env, input) => deletePaths(input, gatherPaths(f, env, input))),
  'map_values/1': (f = missing) => modify(iterate(identity, false), f),
  'pick/1': (f = missing) =>
    single((env, input) => {
      const writer = new PathWriter()
      let result: Value = null
      settle(
        eachPath(f, env, input, (keys) => {
          result = writer.update(result, keys, () => getPath(input, keys))
          return undefined
        }),
      )
      return result
    }),
}

const everything = recurse(iterate(identity, true))

/** Paths of everything inside the input for which the filter holds. */
function below(filter: Code): Code {
  return many((env, input, emit) =>
    eachPath(everything, env, input, (keys, { at }) =>
      filter.each(env, at, (value) => (isTrue(value) && keys.length > 0 ? emit(keys) : undefined)),
    ),
  )
}
