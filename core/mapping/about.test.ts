import { expect, test } from 'vitest'
import { compileMappings } from './compile.ts'

const { mappings } = compileMappings({
  file: 'mapping.yaml',
  text: `resources:
  - kind: repository
    selector: { query: '(.archived | not) and .visibility.level == "public"' }
    port:
      entity:
        mappings:
          identifier: .full_name
          title: .name
          blueprint: '"service"'
          team: [.owner.login]
          properties:
            stars: .stars
            "*": .rest
          relations: { owner: .owner.login }
  - kind: team
    selector: { query: 'true' }
    port: { itemsToParse: .members, entity: { mappings: { identifier: .item.id, blueprint: .kind } } }
`,
})
const about = mappings.about

test('where each field stands', () => {
  const at = (field: string) => about?.place('repository', '0', field)
  expect(at('selector')).toEqual({
    expression: '(.archived | not) and .visibility.level == "public"',
    file: 'mapping.yaml',
    line: 3,
  })
  expect(at('identifier')).toMatchObject({ expression: '.full_name', line: 7 })
  expect(at('title')).toMatchObject({ line: 8 })
  expect(at('team')).toMatchObject({ expression: '.owner.login', line: 10 })
  expect(at('properties.stars')).toMatchObject({ expression: '.stars', line: 12 })
  expect(at('properties.other')).toMatchObject({ expression: '.rest', line: 13 })
  expect(at('relations.owner')).toMatchObject({ line: 14 })
  expect(about?.place('team', '0.3', 'identifier')).toMatchObject({ expression: '.item.id' })
  for (const nothing of [
    about?.place('nope', '0', 'title'),
    about?.place('repository', '7', 'title'),
    at('relations.x'),
  ])
    expect(nothing).toBeUndefined()
})

test('what the parts of a selector gave', () => {
  const body = { archived: false, visibility: { level: 'private' } }
  expect(about?.selector('repository', body, { now: 0 })).toEqual([
    { part: '.archived', gave: 'false' },
    { part: '.visibility.level', gave: '"private"' },
  ])
  expect(about?.selector('team', { members: [] }, { now: 0 })).toEqual([])
})

test('which kinds may make a blueprint', () => {
  // What a blueprint expression gives is known only where it is constant.
  expect(about?.kindsOf('service')).toEqual(['repository', 'team'])
  expect(about?.kindsOf('page')).toEqual(['team'])
})
