import { CatchmentError } from '../core/sdk/index.ts'
import type { Api } from './context.ts'

/** Deeper documents make recursive code run out of stack; no query of a person comes near. */
const nesting = 64

/** JSON bodies that are neither nested without end nor try to reach a prototype. */
export function acceptJson(app: Api): void {
  const parse = app.getDefaultJsonParser('error', 'error')
  app.removeContentTypeParser('application/json')
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) => {
    const text = body.toString()
    if (depth(text) > nesting) {
      done(
        new CatchmentError(`The body is nested deeper than ${nesting}.`, {
          code: 'body_too_deep',
          status: 400,
          hint: 'Write the query flatter.',
        }),
      )
      return
    }
    void parse(request, text, done)
  })
}

/** How deep brackets go, those within strings not counted. */
export function depth(text: string): number {
  let now = 0
  let most = 0
  let quoted = false
  for (let index = 0; index < text.length; index += 1) {
    const character = text[index]
    if (quoted) {
      if (character === '\\') index += 1
      else if (character === '"') quoted = false
    } else if (character === '"') quoted = true
    else if (character === '[' || character === '{') most = Math.max(most, ++now)
    else if (character === ']' || character === '}') now -= 1
  }
  return most
}
