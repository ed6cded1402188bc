/**
 * The import rules of docs/architecture.md as code. A rule says what must not be; its comment says why.
 * @type {import('dependency-cruiser').IConfiguration}
 */
export default {
  forbidden: [
    {
      name: 'sdk-imports-zod-only',
      comment: 'The contract is what an integration author reads and depends on: it must not drag the engine in.',
      severity: 'error',
      from: { path: '^core/sdk/', pathNot: '\\.test\\.ts$' },
      to: { pathNot: ['^core/sdk/', '^node_modules/zod/'] },
    },
    {
      name: 'model-is-pure',
      comment: 'Types and pure functions: everything else stands on them, so they stand on nothing but the contract.',
      severity: 'error',
      from: { path: '^core/model/', pathNot: '\\.test\\.ts$' },
      to: { pathNot: ['^core/(sdk|model)/'] },
    },
    {
      name: 'mapping-is-pure',
      comment:
        'The same mapping over the same record gives the same entities anywhere: no I/O, no clock, no randomness. YAML and schemas are parsing, regular expressions an engine without effects.',
      severity: 'error',
      from: {
        path: '^core/mapping/',
        pathNot: ['\\.test\\.ts$', '/(conformance|fuzz|goldens|suites|oracle)[^/]*\\.ts$', '\\.child\\.ts$'],
      },
      to: {
        pathNot: ['^core/(sdk|model|mapping)/', '^node_modules/(yaml|zod|re2js|oniguruma-to-es|vscode-oniguruma)/'],
      },
    },
    {
      name: 'decisions-are-pure',
      comment:
        'What decides (observation, sweep, guard, reconcile, states) is tested by properties and must not reach for an effect.',
      severity: 'error',
      from: { path: '^core/sync/(decide|sweep|guard|reconcile|heal|states)\\.ts$' },
      to: {
        pathNot: [
          '^core/(sdk|model)/',
          '^core/sync/(decide|sweep|guard|reconcile|heal|states)\\.ts$',
          '^core/catalog/(batch|stored)\\.ts$',
        ],
      },
    },
    {
      name: 'core-knows-no-vendor',
      comment: 'The engine must run with any integration and behind any API; only the composition knows both.',
      severity: 'error',
      from: { path: '^core/' },
      to: { path: ['^(integrations|api|web)/', '^node_modules/(@octokit|@pagerduty|@kubernetes|fastify|@fastify)'] },
    },
    {
      name: 'auditor-stands-alone',
      comment: 'It judges the catalog and the sync; sharing their code would share their mistakes.',
      severity: 'error',
      from: { path: '^core/testkit/auditor' },
      to: { path: '^core/(catalog|sync)/', pathNot: '^core/catalog/db\\.ts$' },
    },
    {
      name: 'integrations-see-the-contract',
      comment: 'An integration talks to its tool and to the contract, never to the engine or another integration.',
      severity: 'error',
      from: { path: '^integrations/([^/]+)/', pathNot: ['\\.test\\.ts$', '/sandbox/', '\\.fixture\\.ts$'] },
      to: { path: ['^core/(?!sdk/)', '^(api|web|bench)/', '^integrations/'], pathNot: '^integrations/$1/' },
    },
    {
      name: 'integration-tests-and-sandboxes',
      comment: 'Beside the contract they may use the testkit.',
      severity: 'error',
      from: { path: '^integrations/([^/]+)/.*(\\.test\\.ts$|/sandbox/)' },
      to: { path: ['^core/(?!sdk/|testkit/|http/|mapping/|model/)', '^(api|web|bench)/'] },
    },
    {
      name: 'api-gets-its-integrations-handed-in',
      comment: 'Routes and pages work with any registry; only main and the CLI name one.',
      severity: 'error',
      from: { path: '^api/', pathNot: ['^api/cli/', '^api/main\\.ts$', '\\.test\\.ts$'] },
      to: { path: '^integrations/' },
    },
    {
      name: 'no-cycles',
      comment: 'A cycle hides which of two files is the foundation.',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'no-test-code-in-the-product',
      comment: 'What ships must not stand on test helpers.',
      severity: 'error',
      from: {
        path: '^(core|integrations|api)/',
        pathNot: [
          '\\.test\\.ts$',
          '\\.fixture\\.ts$',
          '/testing/',
          '^core/testkit/',
          '/sandbox/',
          '^core/mapping/jq/(conformance|fuzz)[^/]*\\.ts$',
        ],
      },
      to: { path: ['\\.test\\.ts$', '^core/testkit/', '^node_modules/(vitest|fast-check)'] },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'types', 'default'] },
  },
}
