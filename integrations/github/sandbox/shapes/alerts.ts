// Security alerts: the part that REST and webhooks share, and what each adds.
import type { Repo } from '../state/model.ts'
import type { CodeAlert, DependabotAlert, SecretAlert } from '../state/parts.ts'
import type { World } from '../state/world.ts'
import { eventOwner, eventUser } from './accounts.ts'
import { nodeId, type Schemas, type Sites } from './api.ts'
import { personOf } from './discussion.ts'
import { repoLinks } from './repoLinks.ts'
import { fullName } from './work.ts'

/** The short form that an organisation's alerts carry. */
export function simpleRepository(at: Sites, world: World, repo: Repo): Schemas['simple-repository'] {
  const full = fullName(world, repo)
  const { git_url: _g, ssh_url: _s, clone_url: _c, svn_url: _v, ...links } = repoLinks(at, full)
  return {
    id: repo.id,
    node_id: nodeId('R', repo.id),
    name: repo.name,
    full_name: full,
    private: repo.visibility !== 'public',
    owner: eventOwner(at, world.owner(repo)),
    html_url: `${at.web}/${full}`,
    description: repo.description,
    fork: repo.fork,
    ...links,
  }
}

const addressOf = (at: Sites, world: World, repo: Repo, kind: string, number: number) => ({
  url: `${at.api}/repos/${fullName(world, repo)}/${kind}/alerts/${number}`,
  html_url: `${at.web}/${fullName(world, repo)}/security/${kind}/${number}`,
})

const closer = (at: Sites, world: World, id: number | null) => (id === null ? null : eventUser(at, personOf(world, id)))

export function dependabotOf(at: Sites, world: World, repo: Repo, it: DependabotAlert) {
  const named = { ecosystem: it.ecosystem, name: it.package }
  const vulnerability = {
    package: named,
    severity: it.severity,
    vulnerable_version_range: '< 2.0.0',
    first_patched_version: { identifier: '2.0.0' },
  }
  const score = { vector_string: 'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N', score: 7.5 }
  const dismissed = it.state === 'dismissed'
  return {
    number: it.number,
    state: it.state,
    dependency: { package: named, manifest_path: it.manifest, scope: 'runtime' as const },
    security_advisory: {
      ghsa_id: it.ghsa,
      cve_id: null,
      summary: it.summary,
      description: `${it.summary}.`,
      vulnerabilities: [vulnerability],
      severity: it.severity,
      cvss: score,
      cwes: [{ cwe_id: 'CWE-79', name: 'Improper neutralisation of input' }],
      identifiers: [{ type: 'GHSA' as const, value: it.ghsa }],
      references: [{ url: `https://github.com/advisories/${it.ghsa}` }],
      published_at: it.createdAt,
      updated_at: it.createdAt,
      withdrawn_at: null,
    },
    security_vulnerability: vulnerability,
    ...addressOf(at, world, repo, 'dependabot', it.number),
    created_at: it.createdAt,
    updated_at: it.updatedAt,
    dismissed_at: dismissed ? it.closedAt : null,
    dismissed_by: dismissed ? closer(at, world, it.closedBy) : null,
    dismissed_reason: it.reason,
    dismissed_comment: it.comment,
    fixed_at: it.state === 'fixed' ? it.closedAt : null,
    auto_dismissed_at: it.state === 'auto_dismissed' ? it.closedAt : null,
  }
}

const noted = { low: 'note', medium: 'warning', high: 'error', critical: 'error' } as const

/** `ruleSeverity` and the rest of the rule are shown by REST; webhooks leave the tags out. */
export function codeOf(at: Sites, world: World, repo: Repo, it: CodeAlert) {
  const address = addressOf(at, world, repo, 'code-scanning', it.number)
  const dismissed = it.state === 'dismissed'
  return {
    number: it.number,
    created_at: it.createdAt,
    updated_at: it.updatedAt,
    ...address,
    state: it.state,
    fixed_at: it.state === 'fixed' ? it.closedAt : null,
    dismissed_by: dismissed ? closer(at, world, it.closedBy) : null,
    dismissed_at: dismissed ? it.closedAt : null,
    dismissed_reason: it.reason,
    dismissed_comment: it.comment,
    rule: {
      id: it.rule,
      severity: noted[it.severity],
      description: it.description,
      name: it.rule,
      tags: ['security'],
      full_description: it.description,
      help: null,
      security_severity_level: it.severity,
    },
    tool: { name: 'CodeQL', guid: null, version: '2.19.0' },
    most_recent_instance: {
      ref: it.ref,
      analysis_key: '.github/workflows/codeql.yml:analyze',
      environment: '{}',
      category: '.github/workflows/codeql.yml:analyze',
      state: it.state,
      commit_sha: '0000000000000000000000000000000000000000',
      message: { text: it.description },
      location: { path: it.path, start_line: 1, end_line: 2, start_column: 1, end_column: 10 },
      classifications: [],
    },
    instances_url: `${address.url}/instances`,
  }
}

export function secretOf(at: Sites, world: World, repo: Repo, it: SecretAlert) {
  const address = addressOf(at, world, repo, 'secret-scanning', it.number)
  return {
    number: it.number,
    created_at: it.createdAt,
    updated_at: it.updatedAt,
    ...address,
    locations_url: `${address.url}/locations`,
    state: it.state,
    resolution: it.reason,
    resolved_at: it.closedAt,
    resolved_by: closer(at, world, it.closedBy),
    resolution_comment: it.comment,
    secret_type: it.secretType,
    secret_type_display_name: it.displayName,
    secret: 'not to be kept by anybody',
    push_protection_bypassed: false,
    push_protection_bypassed_by: null,
    push_protection_bypassed_at: null,
    validity: 'unknown' as const,
    publicly_leaked: false,
    multi_repo: false,
  }
}
