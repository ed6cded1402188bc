/** What a busy machine has for a property: once it is over, further runs pass without being made. */
export interface Patience {
  /** Runs were passed over: how often something was seen says nothing. */
  readonly over: boolean
  /** One that is under way is always ended, since it would go on behind the tests that follow. */
  for<Given extends readonly unknown[]>(
    property: (...given: Given) => Promise<void>,
  ): (...given: Given) => Promise<void>
}

export function patience(milliseconds: number): Patience {
  const until = performance.now() + milliseconds
  let over = false
  return {
    get over() {
      return over
    },
    for:
      (property) =>
      async (...given) => {
        over ||= performance.now() > until
        if (!over) await property(...given)
      },
  }
}
