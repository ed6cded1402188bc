export type { Json, JsonObject } from '../sdk/json.ts'
export { isObject } from '../sdk/json.ts'
