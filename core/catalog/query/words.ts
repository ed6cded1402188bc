import { searchWords } from '../search.ts'

/** The index cuts words at the same length. */
const longestWord = 64
const mostWords = 16

/**
 * All words of the text; letters and digits only, so nothing in it can be an operator. Empty when the text has none.
 * `beginning`: a word of the index need only begin with it.
 */
export function tsquery(text: string, beginning = true): string {
  return searchWords(text)
    .slice(0, mostWords)
    .map((word) => `${word.slice(0, longestWord)}${beginning ? ':*' : ''}`)
    .join(' & ')
}
