import type { Page } from './contract.ts'
import type { Json } from './json.ts'

/** A page whose items are read when they are asked for, and once. What `read` throws ends the listing, as if it had been thrown before. */
export function lazyPage(
  page: Omit<Page, 'items' | 'bytes' | 'notModified'> & Required<Pick<Page, 'bytes'>>,
  read: () => readonly Json[],
): Page {
  let items: readonly Json[] | undefined
  return {
    ...page,
    get items() {
      items ??= read()
      return items
    },
  }
}
