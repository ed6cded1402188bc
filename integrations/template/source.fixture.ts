import type { TestSource } from '../../core/testkit/conformance.ts'
import { startFakeApi } from '../../core/testkit/fake-api.ts'

export const token = 'a token of this test'

const things = Array.from({ length: 12 }, (_, index) => ({
  id: `t${index}`,
  name: `Thing ${index}`,
  description: null,
  updatedAt: '2026-01-02T03:04:05Z',
  ignored: 'not kept',
}))
const size = 5

/** The API as far as it is used. What it does not know fails the test. */
export async function openSource(): Promise<TestSource & { readonly url: string }> {
  const api = await startFakeApi((request) => {
    const { path, query, headers } = request
    if (headers['authorization'] !== `Bearer ${token}`) return { status: 401, body: null }
    if (path === '/self') return { body: { name: 'test' } }
    const [, projects, project = '', kind, id] = path.split('/')
    if (projects !== 'projects') return undefined
    if (request.isLost(project)) return { status: 404, body: null }
    if (kind === undefined) return { body: { name: project } }
    if (kind !== 'things') return undefined
    if (id !== undefined) {
      const found = things.find((thing) => thing.id === id)
      return found === undefined ? { status: 404, body: null } : { body: found }
    }
    const page = Number(query.get('page'))
    const next = page * size < things.length ? page + 1 : null
    return { body: { items: things.slice((page - 1) * size, page * size), next } }
  })
  return { ...api, unknownKey: () => 'nobody' }
}
