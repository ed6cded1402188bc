export interface GithubFile {
  readonly organizations: readonly string[]
  /** Name of the variable that holds the token, or an App with the file of its key as seen from this one. */
  readonly credential: { readonly tokenEnv: string } | { readonly app: string; readonly keyFile: string }
  readonly baseUrl?: string
  /** The JSON Schema, as seen from the file. */
  readonly schema: string
}

/** A first catchment.yaml: what is set, and as comments what can be. */
export function githubFile({ organizations, credential, baseUrl, schema }: GithubFile): string {
  const lines = [
    `# yaml-language-server: $schema=${schema}`,
    '# The tools that Catchment keeps its catalog in step with. All settings: docs/configuration.md.',
    'sources:',
    '  - name: github',
    '    integration: github',
    '    config:',
    ...('tokenEnv' in credential
      ? [
          `      token: "\${env:${credential.tokenEnv}}"   # from the environment, or from .env beside this file; never written here`,
        ]
      : [
          `      app: { id: ${JSON.stringify(credential.app)}, privateKey: ${JSON.stringify(`\${file:${credential.keyFile}}`)} }`,
        ]),
    `      organizations: [${organizations.join(', ')}]`,
    ...(baseUrl === undefined
      ? ['      # baseUrl: https://HOST/api/v3   # GitHub Enterprise']
      : [`      baseUrl: ${JSON.stringify(baseUrl)}`]),
    '      # only: [OWNER/REPOSITORY]   # a first try with these repositories alone',
    '    # kinds: [organization, repository, team, user, codeowners]   # this is the default; team-access costs two requests per team',
    '    # schedule: { scan: "*/30 * * * *", freshness: 1h }   # every half hour; what is unchanged costs nothing',
    "    # quota: { reserve: 40% }   # of the rate limit, for the token's other users",
    '    # guard: { share: 25%, minimum: 5 }   # more deletions at once than this wait for a person',
    '    # webhooks: { secret: "${env:WEBHOOK_SECRET}" }   # changes within a second; manage: true lets Catchment make the webhook',
    '',
  ]
  return lines.join('\n')
}
