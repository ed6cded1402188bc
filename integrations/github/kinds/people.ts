import type { components } from '@octokit/openapi-types'
import type { ShapeOf } from '../shape.ts'

type Schemas = components['schemas']

/** A person in another object, without the addresses that follow from the login. */
export const person = {
  login: true,
  id: true,
  node_id: true,
  avatar_url: true,
  url: true,
  html_url: true,
  type: true,
  site_admin: true,
} as const satisfies ShapeOf<Schemas['simple-user']>
