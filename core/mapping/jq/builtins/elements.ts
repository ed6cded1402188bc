import { index } from '../access.ts'
import { constant, identity } from '../code.ts'
import { type Builtins, missing } from './define.ts'

/** Elements by position; they are accesses, and so places. */
export const elements: Builtins = {
  'first/0': () => index(identity, constant(0), false),
  'last/0': () => index(identity, constant(-1), false),
  'nth/1': (n = missing) => index(identity, n, false),
}
