import type { MappingsAbout, Part, Place } from '../model/mapping.ts'
import { type EntityBlock, expressionsOf, type NamedTemplate, type ResourceBlock } from './parsed.ts'
import { traceExpression } from './trace.ts'

/** So many parts of a selector say why it is false; more would be read by nobody. */
const told = 4

/** For people who ask why: where the fields stand, and what the parts of a selector gave. */
export function aboutResources(
  resources: readonly ResourceBlock[],
  variables: Readonly<Record<string, string>>,
): MappingsAbout {
  const find = (mapping: string): ResourceBlock | undefined => resources.find(({ id }) => id === mapping)
  return {
    place(mapping, item, field) {
      const resource = find(mapping)
      if (resource === undefined) return undefined
      if (field === 'selector') return placed(resource.selector.place)
      if (field === 'items') return resource.items && placed(resource.items.expression.place)
      const block = resource.entities[Number(item.split('.')[0])]
      return block && placed(placeIn(block, field))
    },
    selector(mapping, body, { now }) {
      const resource = find(mapping)
      if (resource === undefined || resource.items !== undefined) return []
      const { steps } = traceExpression(resource.selector, body, { variables: { env: variables }, now })
      return parts(steps)
    },
    kindsOf(blueprint) {
      const made = resources.filter(({ entities }) =>
        entities.some(({ blueprint: { constant } }) => constant === undefined || constant === blueprint),
      )
      return [...new Set(made.map(({ kind }) => kind))]
    },
  }
}

function placeIn(block: EntityBlock, field: string): NamedTemplate['place'] | undefined {
  const [family = '', ...rest] = field.split('.')
  const name = rest.join('.')
  switch (family) {
    case 'identifier':
      return expressionsOf(block.identifier)[0]?.place
    case 'blueprint':
      return block.blueprint.place
    case 'title':
      return block.title?.place
    case 'team':
      return block.team === undefined ? undefined : expressionsOf(block.team)[0]?.place
    case 'properties':
      return block.properties.find((each) => each.name === name)?.place ?? block.spread?.place
    case 'relations':
      return block.relations.find((each) => each.name === name)?.place
    default:
      return undefined
  }
}

function placed(place: NamedTemplate['place'] | undefined): Place | undefined {
  if (place === undefined) return undefined
  const { expression, file, line } = place
  return { expression, ...(file === undefined ? {} : { file }), ...(line === undefined ? {} : { line }) }
}

/** Those that read something; of a path only the whole. */
function parts(steps: readonly Part[]): readonly Part[] {
  const reads = steps.filter(({ part }) => /^(\$?env)?(\.?\[[^[\]]*\]|\."[^"]*"|\.\w+)+$/.test(part))
  const whole = reads.filter(({ part }) => !reads.some((other) => other.part !== part && other.part.startsWith(part)))
  return [...new Map(whole.map((each) => [each.part, each])).values()].slice(0, told)
}
