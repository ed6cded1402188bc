import { describe, expect, it } from 'vitest'
import type { Blueprint } from '../model/blueprint.ts'
import { compileMappings, explainDiagnostics, type MappingSource, SourceText } from './index.ts'

const blueprints: Blueprint[] = [
  {
    identifier: 'service',
    schema: {
      properties: { language: { type: 'string' }, stars: { type: 'number' }, tags: { type: 'array' }, any: {} },
    },
    relations: { owner: { target: 'team' }, domain: { target: 'domain' } },
  },
  { identifier: 'team', schema: { properties: {} }, relations: {} },
]

function lint(text: string, options: Partial<MappingSource> = {}): string[] {
  const { diagnostics } = compileMappings({ file: 'm.yaml', text, ...options })
  return diagnostics.map(
    ({ severity, line, column, endColumn, code, message, hint }) =>
      `${line}:${column}-${endColumn} ${severity} ${code}: ${message}${hint === undefined ? '' : ` (${hint})`}`,
  )
}

const own = (entity: string, more = ''): string =>
  `resources:\n  - kind: r\n${more}    entity:\n      identifier: .id\n      blueprint: '"service"'\n${entity}`
const port = (mappings: string): string =>
  `resources:\n  - kind: r\n    selector: { query: 'true' }\n    port:\n      entity:\n        mappings:\n          identifier: .id\n          blueprint: '"service"'\n${mappings}`

describe('what is wrong with a mapping file', () => {
  it.each<[string, string, string[]]>([
    ['nothing', own(''), []],
    ['an empty file', '', ['1:1-2 error shape_wrong: a mapping file must be a block of keys, not nothing']],
    ['a list', '- a', ['1:1-2 error shape_wrong: a mapping file must be a block of keys, not a list']],
    [
      'no resources',
      'resource: []',
      ['1:1-1 error key_missing: there is no "resources" (a mapping file lists its mappings under "resources:")'],
    ],
    [
      'resources that are no list',
      'resources: 5',
      ['1:1-10 error shape_wrong: "resources" must be a list, not the number 5'],
    ],
    [
      'no kind',
      'resources: [{ entity: {} }]',
      ['1:15-21 error key_missing: "kind" is missing: the kind of raw object this mapping reads'],
    ],
    ['no entity', 'resources:\n  - kind: r', ['2:5-9 error key_missing: "entity" is missing: what an object becomes']],
    [
      'no identifier and no blueprint',
      'resources:\n  - kind: r\n    entity: { title: .a }',
      [
        '3:15-20 error key_missing: "identifier" is missing: what the entity is called',
        `3:15-20 error key_missing: "blueprint" is missing: which family it belongs to, e.g. blueprint: '"service"'`,
      ],
    ],
    [
      'an unknown key in our form',
      own('      propertes: {}'),
      ['6:7-16 error key_unknown: an entity has no key "propertes" (did you mean "properties"?)'],
    ],
    [
      'an unknown key in the other form, where it is ignored',
      port('          propertes: {}'),
      ['9:11-20 warning key_ignored: "propertes" is ignored: an entity has no such key (did you mean "properties"?)'],
    ],
    [
      'a wrong root option',
      'createMissingRelatedEntities: maybe\nentityDeletionThreshold: 2\nresources: []',
      [
        '1:1-29 error shape_wrong: "createMissingRelatedEntities" must be true or false, not a text',
        '2:1-24 error shape_wrong: "entityDeletionThreshold" must be a number from 0 to 1',
      ],
    ],
    [
      'an identifier by search',
      `resources: [{ kind: k, entity: { blueprint: '"b"', identifier: { combinator: and, rules: [] } } }]`,
      [
        '1:78-81 warning identifier_search: the identifier is a search query: the catalog takes nothing from this block (name the entity by an expression, or let what it says be a property of what the object itself becomes)',
      ],
    ],
    [
      'a search that follows relations of any length',
      own('      relations: { a: { combinator: and, rules: [{ operator: relatedTo, blueprint: "x", value: .a }] } }'),
      [
        '6:62-71 error expression_refused: The operator "relatedTo" is not answered: it follows relations of any length. (Name the relation: { property: relations.NAME, operator: "=", value: IDENTIFIER })',
      ],
    ],
    [
      'a search by an operator that there is not',
      own(`      relations: { a: { combinator: and, rules: [{ property: '"b"', operator: '"like"', value: .a }] } }`),
      [
        '6:79-87 error expression_refused: There is no operator "like". (Operators: = != > >= < <= contains doesNotContain containsAny beginsWith doesNotBeginWith endsWith doesNotEndWith in notIn between notBetween isEmpty isNotEmpty)',
      ],
    ],
    [
      'a search by an operator that relations do not know',
      own(
        `      relations: { a: { combinator: and, rules: [{ property: '"relations.b"', operator: endsWith, value: .a }] } }`,
      ),
      [
        '6:62-77 error expression_refused: Relations do not know "endsWith". (They know = != contains doesNotContain containsAny in notIn isEmpty isNotEmpty.)',
      ],
    ],
    [
      'a search by a field that there is not',
      own(`      relations: { a: { combinator: and, rules: [{ property: '"$name"', operator: notIn, value: .a }] } }`),
      [
        '6:62-71 error expression_refused: There is no field "$name". (Fields: $identifier $title $blueprint $team $stub $createdAt $updatedAt; properties go by their own name.)',
      ],
    ],
    [
      'a key that is there twice',
      own('      title: .a\n      title: .b'),
      ['7:7-12 warning key_duplicate: "title" is here twice; the last one counts'],
    ],
    [
      'a selector that is no block',
      own('', '    selector: .a\n'),
      [
        '3:5-13 error shape_wrong: "selector" must be a block of keys, not a text (write it as the key "query" of "selector")',
      ],
    ],
    [
      'a syntax error in the middle of a folded expression',
      own('      title: >-\n        .a |\n        .b +'),
      ['8:13-13 error expression_syntax: unexpected end of the expression, expected an expression'],
    ],
    [
      'a plain word for a blueprint',
      'resources:\n  - { kind: r, entity: { identifier: .id, blueprint: service } }',
      [
        `2:54-61 error expression_undefined: service/0 is not defined (this is an expression: the blueprint itself is written '"service"', a fixed text '"service"')`,
      ],
    ],
    [
      'a selector that cannot be boolean',
      own('', "    selector: { query: '.a | tostring' }\n"),
      ['3:24-39 error selector_type: a selector must give true or false; this one gives string'],
    ],
    [
      'a selector that sets instead of comparing',
      own('', "    selector: { query: '.archived = false' }\n"),
      [
        '3:24-43 error selector_type: a selector must give true or false; this one gives object (= sets a field; == compares)',
      ],
    ],
    [
      'a misspelled key and a wrong expression in one round',
      'resources:\n  - kind: r\n    entity: { identifer: .id, blueprint: \'"service"\', properties: { stars: .a | flor } }',
      [
        '3:15-24 error key_unknown: an entity has no key "identifer" (did you mean "identifier"?)',
        '3:81-85 error expression_undefined: flor/0 is not defined (did you mean floor?)',
      ],
    ],
    [
      'a misspelled key in a file of the other product, which ignores it',
      'resources: [{ kind: r, port: { entity: { mappings: { identifer: .id, blueprint: \'"service"\' } } } }]',
      [
        '1:54-63 error key_missing: "identifier" is missing: what the entity is called',
        '1:54-63 warning key_ignored: "identifer" is ignored: an entity has no such key (did you mean "identifier"?)',
      ],
    ],
    [
      'items that cannot be a list',
      own('', '    itemsToParse: .a | length\n'),
      ['3:19-30 error items_type: itemsToParse must give a list; this one gives number'],
    ],
    [
      'parts of an identifier that may vanish',
      `resources:\n  - { kind: r, entity: { identifier: '.a + "-" + .b.c', blueprint: '"service"' } }`,
      [
        '2:39-41 warning identifier_part: when .a is missing, it vanishes from the identifier without an error (write (.a // error("no .a")) to have the object set aside instead)',
        '2:50-54 warning identifier_part: when .b.c is missing, it vanishes from the identifier without an error (write (.b.c // error("no .b.c")) to have the object set aside instead)',
      ],
    ],
    [
      'no part that may vanish',
      `resources:\n  - { kind: r, entity: { identifier: '(.a|tostring) + "-" + (.b // "x")', blueprint: '"service"' } }`,
      [],
    ],
    [
      'an undeclared variable, once',
      own('      title: env.CLUSTR\n      team: $ENV.CLUSTR'),
      [
        '6:14-24 warning variable_undeclared: the variable CLUSTR is not declared and reads as null (did you mean "CLUSTER"?)',
      ],
    ],
    [
      'a search query without rules',
      own('      relations: { owner: { combinator: and, rules: 5 } }'),
      ['6:46-51 error shape_wrong: "rules" must be a list of rules'],
    ],
    [
      'a relation that is an object',
      own('      relations: { owner: { a: .b } }'),
      [
        '6:20-25 error shape_wrong: "relations.owner" must be an expression, a list, or a search query (a search query has the keys "combinator" and "rules")',
      ],
    ],
    ['an anchor that is not there', 'resources: *x', ['1:12-14 error yaml_alias: nothing is anchored as &x']],
  ])('%s', (_, text, expected) => {
    expect(lint(text, { variables: { CLUSTER: 'x' } })).toEqual(expected)
  })

  it('is held against blueprints and kinds where they are known', () => {
    const text = own(`      properties:
        langage: .language
        stars: .stars | tostring
        language: 5
        tags: { a: .b }
        any: 5
      relations:
        ownr: .o
        domain: .d`)
    expect(lint(text, { blueprints, kinds: ['repository', 's'] })).toEqual([
      '2:11-12 warning kind_unknown: there is no kind "r"; this mapping is never used (did you mean "s"?)',
      '7:9-16 warning property_unknown: blueprint "service" has no property "langage" (did you mean "language"?)',
      '8:16-33 warning type_mismatch: "stars" is declared as number; this gives string',
      '9:19-20 warning type_mismatch: "language" is declared as string; this gives number (add | tostring)',
      '10:9-13 warning type_mismatch: "tags" is declared as array; this gives object',
      '13:9-13 warning relation_unknown: blueprint "service" has no relation "ownr" (did you mean "owner"?)',
      '14:9-15 warning relation_target_unknown: relation "domain" points at blueprint "domain", which does not exist',
    ])
    expect(lint(own(''), { blueprints: [] })).toEqual([
      `5:18-29 warning blueprint_unknown: there is no blueprint "service" (add it to the blueprints of this source)`,
    ])
  })

  it('is printed the way compilers do', () => {
    const text = own('      title: >-\n        .a |\n        .b +')
    const { diagnostics } = compileMappings({ file: 'm.yaml', text })
    expect(explainDiagnostics(diagnostics, () => new SourceText('m.yaml', text))).toBe(`\
m.yaml:8:13: error: unexpected end of the expression, expected an expression [expression_syntax]
  8 |         .b +
    |             ^

1 error`)
  })

  it('does not unfold a small file into gigabytes', () => {
    const bomb = [
      'a: &a [x,x,x,x,x,x,x,x,x]',
      ...'bcdefgh'.split('').map((name, n) => `${name}: &${name} [${Array(9).fill(`*${'abcdefg'[n]}`).join(',')}]`),
    ].join('\n')
    const { diagnostics, usable } = compileMappings({ file: 'm', text: `${bomb}\nresources: []` })
    expect(diagnostics.filter(({ code }) => code === 'yaml_too_large')).toHaveLength(1)
    expect(usable).toBe(false)
    const deep = compileMappings({ file: 'm', text: `resources: ${'['.repeat(20_000)}` })
    expect(deep.usable).toBe(false)
    expect(deep.diagnostics[0]?.severity).toBe('error')
  })
})

describe('keys at the root', () => {
  const file = (keys: string): string => `${keys}\n${port('')}`

  it('that the integration reads are taken, and others told of', () => {
    expect(lint(file('repositoryType: private\nother: 1'), { options: ['repositoryType'] })).toEqual([
      expect.stringMatching(/^2:1-6 warning key_ignored: "other" is ignored/),
    ])
    expect(lint(file('repositorType: private'), { options: ['repositoryType'] })).toEqual([
      expect.stringContaining('did you mean "repositoryType"?'),
    ])
  })

  it('are not judged where no integration is known, unless one is misspelled', () => {
    expect(lint(file('repositoryType: private'))).toEqual([])
    expect(lint(file('deleteDependentEntites: true'))).toEqual([
      expect.stringContaining('did you mean "deleteDependentEntities"?'),
    ])
  })
})
