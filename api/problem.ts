import { STATUS_CODES } from 'node:http'
import type { FastifyRequest } from 'fastify'
import { hasZodFastifySchemaValidationErrors, isResponseSerializationError } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { CatchmentError } from '../core/sdk/index.ts'

/** RFC 9457, with what a person needs beside it. */
export const problemSchema = z
  .object({
    type: z.string().describe('urn:catchment:problem:CODE'),
    title: z.string().describe('The status in words.'),
    status: z.int(),
    code: z.string().describe('Stable; what a program decides upon.'),
    detail: z.string().describe('What happened.'),
    hint: z.string().optional().describe('What to do, and who.'),
    requestId: z.string().describe('Names the request in the log.'),
    errors: z
      .array(
        z.object({
          in: z.enum(['query', 'path', 'body', 'header']),
          parameter: z.string().describe('Name of the parameter, or a JSON pointer into the body.'),
          message: z.string(),
        }),
      )
      .optional()
      .describe('Each parameter that is wrong.'),
  })
  .meta({ id: 'Problem' })

export type Problem = z.infer<typeof problemSchema>

export interface Answer {
  readonly problem: Problem
  readonly headers: Readonly<Record<string, string>>
  /** The error is ours: it belongs into the log with all it has. */
  readonly unexpected: boolean
}

interface Told {
  readonly status: number
  readonly code: string
  readonly detail: string
  readonly hint?: string | undefined
  readonly details?: Readonly<Record<string, unknown>>
}

/** Any error as a problem document. What is not made for people says only that something went wrong. */
export function answer(error: unknown, request: FastifyRequest): Answer {
  const told = tell(error, request)
  const { status, code, detail, hint, details = {} } = told ?? unexpected
  const retryAfter = typeof details['retryAfterSeconds'] === 'number' ? Math.ceil(details['retryAfterSeconds']) : 5
  return {
    problem: {
      ...details,
      type: `urn:catchment:problem:${code}`,
      title: STATUS_CODES[status] ?? 'Error',
      status,
      code,
      detail,
      ...(hint === undefined ? {} : { hint }),
      requestId: request.id,
    },
    headers: {
      ...(status === 503 || status === 429 ? { 'retry-after': String(retryAfter) } : {}),
      ...(status === 401 ? { 'www-authenticate': 'Bearer realm="catchment"' } : {}),
    },
    unexpected: status === 500,
  }
}

const unexpected: Told = {
  status: 500,
  code: 'internal_error',
  detail: 'Something went wrong that is not your fault.',
  hint: 'Look for the request id in the log of the server, and report it.',
}

function tell(error: unknown, request: FastifyRequest): Told | undefined {
  if (error instanceof CatchmentError) {
    const { status, code, message, hint, details } = error
    return { status, code, detail: message, hint, details }
  }
  if (hasZodFastifySchemaValidationErrors(error)) return wrongParameters(error, request)
  if (!(error instanceof Error) || isResponseSerializationError(error)) return undefined
  const code = 'code' in error && typeof error.code === 'string' ? error.code : ''
  // Class 22 of the database's own codes: a value that it cannot hold, like U+0000 in a text.
  if (/^22[0-9A-Z]{3}$/.test(code)) {
    return { status: 400, code: 'value_invalid', detail: 'A value cannot be used here.', hint: error.message }
  }
  const known = framework[code]
  if (known !== undefined) return known
  const status = 'statusCode' in error && typeof error.statusCode === 'number' ? error.statusCode : 500
  if (status >= 400 && status < 500) return { status, code: 'request_invalid', detail: error.message }
  return undefined
}

const malformed = {
  status: 400,
  code: 'body_malformed',
  detail: 'The body is not the JSON it says it is.',
  hint: 'Send valid JSON without __proto__ or constructor.prototype members.',
}

const framework: Readonly<Record<string, Told>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: {
    status: 413,
    code: 'body_too_large',
    detail: 'The body is larger than this route takes.',
    hint: 'Webhooks may have 25 MB, entities that are written 16 MB, everything else 1 MB.',
  },
  FST_ERR_CTP_INVALID_MEDIA_TYPE: {
    status: 415,
    code: 'media_type_unsupported',
    detail: 'This route does not take a body of that type.',
    hint: 'Send application/json.',
  },
  FST_ERR_CTP_INVALID_JSON_BODY: malformed,
  FST_ERR_CTP_EMPTY_JSON_BODY: { ...malformed, detail: 'The body is empty.' },
  FST_ERR_BAD_URL: {
    status: 400,
    code: 'url_malformed',
    detail: 'The address has a percent sign that begins no character.',
    hint: 'Percent-encode every part of the path, for instance acme%2Fcheckout.',
  },
}

function wrongParameters(
  error: {
    readonly validation: readonly {
      readonly instancePath: string
      readonly message?: string
      readonly params: unknown
    }[]
    readonly validationContext?: string | undefined
  },
  request: FastifyRequest,
): Told {
  const context = error.validationContext ?? ''
  const place =
    context === 'querystring' ? 'query' : context === 'params' ? 'path' : context === 'headers' ? 'header' : 'body'
  const errors = error.validation.flatMap((issue) =>
    names(issue, place).map((parameter) => ({ in: place, parameter, message: issue.message ?? 'is wrong' })),
  )
  const first = errors[0]
  return {
    status: 400,
    code: 'parameter_invalid',
    detail: first === undefined ? 'A parameter is wrong.' : `${first.parameter}: ${first.message}`,
    hint: `See ${request.routeOptions.url ?? 'the route'} in /docs for what it takes.`,
    details: { errors },
  }
}

/** An unknown parameter is reported at its parent; what helps is its own name. */
function names(issue: { readonly instancePath: string; readonly params: unknown }, place: string): readonly string[] {
  const path = place === 'body' ? issue.instancePath : issue.instancePath.slice(1)
  const { params } = issue
  if (typeof params === 'object' && params !== null && 'keys' in params && Array.isArray(params.keys)) {
    const keys = params.keys.filter((name) => typeof name === 'string')
    return keys.map((name) => (place === 'body' ? `${path === '/' ? '' : path}/${name}` : name))
  }
  return [path === '' ? '/' : path]
}
