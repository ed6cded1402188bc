import { z } from 'zod'
import { parseQuery } from '../graphql/parse.ts'
import { answerQuery } from '../graphql/resolve.ts'
import type { Route } from '../http/route.ts'
import { read } from './input.ts'

const question = z.object({ query: z.string(), variables: z.record(z.string(), z.unknown()).default({}) })

/** Not one of GitHub's operations in its description of REST, so it is not bound to one. */
export const graphqlRoutes: readonly Route[] = [
  {
    method: 'POST',
    parts: ['graphql'],
    handle: (call) => {
      // 401 without one.
      void call.viewer.person
      const { query, variables } = read(question, 'Query', call.body)
      return { status: 200, body: answerQuery(call, parseQuery(query), variables) }
    },
  },
]
