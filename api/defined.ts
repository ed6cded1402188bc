/** Without the members that are undefined: a parameter that was not given is absent. */
export function defined<T extends object>(value: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  // The type says what the filter does; TypeScript cannot see it.
  return Object.fromEntries(Object.entries(value).filter(([, part]) => part !== undefined)) as never
}
