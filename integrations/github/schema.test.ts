import { inspect } from 'node:util'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { BadAnswer } from '../../core/sdk/index.ts'
import { repositoryVersion } from './kinds/repository.ts'
import { nextPage } from './pages.ts'
import { githubConfig, keyOf, orderable, read, timestamp } from './schema.ts'

const least = { token: 't', organizations: ['acme'] }

test('a configuration has defaults, and mistakes are said where they are', () => {
  expect(githubConfig.parse(least)).toEqual({ ...least, baseUrl: 'https://api.github.com', pageSize: 100 })
  const paths = (config: object) => githubConfig.safeParse(config).error?.issues.map((issue) => issue.path.join('.'))
  expect(paths({ ...least, token: '' })).toEqual(['token'])
  expect(paths({ ...least, organizations: [] })).toEqual(['organizations'])
  expect(paths({ ...least, organizations: ['https://github.com/acme'] })).toEqual(['organizations.0'])
  expect(paths({ ...least, baseUrl: 'github.example.com' })).toEqual(['baseUrl'])
  expect(paths({ ...least, only: ['acme/a', 'other/b', 'c'] })).toEqual(['only.2', 'only.1'])
  expect(paths({ ...least, only: ['ACME/a', 'other/b'] })).toEqual(['only.1'])
  expect(githubConfig.safeParse({ ...least, organisations: ['x'] }).success).toBe(false)
})

test('keys are whole positive numbers', () => {
  expect(keyOf({ id: 9_007_199_254_740_991 }, 'x')).toBe('9007199254740991')
  for (const id of [0, -1, 1.5, 9_007_199_254_740_992, '7', null, {}])
    expect(() => keyOf({ id }, 'x')).toThrow(BadAnswer)
})

test('a wrong shape is BadAnswer with the path, and without the value', () => {
  const schema = z.object({ owner: z.object({ login: z.string() }) })
  const error: unknown = (() => {
    try {
      return read(schema, { owner: { login: 7, token: 'secret' } }, 'repository')
    } catch (e) {
      return e
    }
  })()
  expect(String(error)).toContain('repository: $.owner.login: ')
  expect(inspect(error, { depth: 10 })).not.toContain('secret')
})

test('times of every form are one form', () => {
  expect(timestamp.parse(1_557_933_657)).toBe('2019-05-15T15:20:57Z')
  expect(orderable('2019-05-15T15:20:57Z')).toBe('2019-05-15T15:20:57Z')
  expect(orderable('2019-05-15T17:20:57+02:00')).toBe('2019-05-15T15:20:57Z')
  expect(orderable('2019-05-15T15:20:57.250Z')).toBe('2019-05-15T15:20:57Z')
  expect(orderable('yesterday')).toBeUndefined()
})

test('any step of either timestamp moves the version of a repository forward', () => {
  const at = (seconds: number): string => new Date(seconds * 1000).toISOString().replace('.000', '')
  const step = fc.record({ updated: fc.nat({ max: 5 }), pushed: fc.nat({ max: 5 }) })
  fc.assert(
    fc.property(fc.nat({ max: 2e9 }), fc.nat({ max: 2e9 }), fc.array(step), (updated, pushed, steps) => {
      let last = ''
      for (const move of [{ updated: 0, pushed: 0 }, ...steps]) {
        updated += move.updated
        pushed += move.pushed
        const version = repositoryVersion({ updated_at: at(updated), pushed_at: at(pushed) }) ?? ''
        if (last === '' || move.updated + move.pushed > 0) expect(version > last).toBe(true)
        else expect(version).toBe(last)
        last = version
      }
    }),
  )
  expect(repositoryVersion({ updated_at: at(5), pushed_at: null })).toBe(`${at(5)} `)
  expect(repositoryVersion({ updated_at: 'never', pushed_at: null })).toBeUndefined()
  expect(repositoryVersion({ pushed_at: at(1) })).toBeUndefined()
})

test('only the page number of a next link is believed', () => {
  const host = 'https://api.github.com/organizations/1/repos'
  expect(nextPage(undefined, 'x')).toBeUndefined()
  expect(nextPage(`<${host}?page=1>; rel="prev", <${host}?page=3&per_page=9>; rel="next"`, 'x')).toBe('3')
  expect(nextPage(`<${host}?page=2>; rel="prev", <${host}?page=9>; rel="last"`, 'x')).toBeUndefined()
  for (const address of [host, `${host}?page=x`, `${host}?page=-1`, 'not an address']) {
    expect(() => nextPage(`<${address}>; rel="next"`, 'x')).toThrow(BadAnswer)
  }
})
