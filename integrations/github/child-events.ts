import { z } from 'zod'
import { isObject, type JsonObject, type Signal } from '../../core/sdk/index.ts'
import { homeOf } from './directory.ts'
import type { EventContext, Handler } from './events.ts'
import { type ChildSpec, keyOfChild, withHome } from './kinds/child.ts'
import { issueKind, pullRequest } from './kinds/discussions.ts'
import { collaborator, deployment, deploymentStatus, release, workflow, workflowRun } from './kinds/work.ts'
import { isCodeowners } from './parse.ts'
import { orderable, read } from './schema.ts'
import { objectOf } from './shape.ts'

const inRepository = z.looseObject({
  action: z.string().optional(),
  repository: z.looseObject({ id: z.int(), full_name: z.string(), owner: z.looseObject({ login: z.string() }) }),
})

interface Where {
  readonly partition: string
  readonly repository: JsonObject
  readonly id: string
  readonly action: string
}

/** The repository of an event; undefined where it is not ours to read. */
function where(payload: JsonObject, context: EventContext): Where | undefined {
  const { action = '', repository } = read(inRepository, payload, 'webhook')
  if (context.partitionOf(repository.owner.login) === undefined || !context.wants(repository.full_name))
    return undefined
  // Parsed from JSON; zod gives back what it was handed.
  return { partition: repository.full_name, repository: repository as JsonObject, id: String(repository.id), action }
}

interface ChildEvent {
  readonly spec: ChildSpec
  /** The member that holds the object. */
  readonly field: string
  /** The body has every field that a listing has. */
  readonly whole?: boolean
  readonly gone?: readonly string[]
}

/** An event about one object of a repository: with its body where that says all. */
const child =
  ({ spec, field, whole = false, gone = [] }: ChildEvent): Handler =>
  (payload, context) => {
    const at = where(payload, context)
    const raw = payload[field]
    if (at === undefined || !isObject(raw)) return []
    const body = withHome(spec, raw, homeOf(at.repository))
    const object = objectOf(body, spec.name)
    const time = spec.version?.(object)
    const version = typeof time === 'string' ? orderable(time) : undefined
    const locator = spec.locator?.(object)
    const about = {
      kind: spec.name,
      key: keyOfChild(at.id, spec.id(object)),
      partition: at.partition,
      ...(locator === undefined ? {} : { locator }),
    }
    // A deletion moves no timestamp, so its event is asked about.
    if (gone.includes(at.action)) return [{ type: 'gone', ...about }]
    const told = whole && version !== undefined ? { body, whole: true, version } : {}
    return [{ type: 'stale', ...about, ...told }]
  }

const ref = z.looseObject({ ref: z.string(), ref_type: z.enum(['branch', 'tag']) })

/** A branch or tag that came or went; the push that follows says the rest. */
const reference: Handler = (payload, context) => {
  const at = where(payload, context)
  if (at === undefined) return []
  const { ref: name, ref_type: kind } = read(ref, payload, 'webhook')
  return [{ type: 'stale', kind, key: keyOfChild(at.id, name), partition: at.partition }]
}

const changed = z.array(z.string()).default([])
const pushed = z.looseObject({
  ref: z.string().default(''),
  repository: z.looseObject({ default_branch: z.string().nullish() }),
  commits: z.array(z.looseObject({ added: changed, modified: changed, removed: changed })).default([]),
})

/** So many files of a push are asked about one by one; after a larger one they are all looked at. */
const oneByOne = 50

/** What a push may have changed beside the repository: its branch, and files and folders of the default branch. */
export const push: Handler = (payload, context) => {
  const at = where(payload, context)
  if (at === undefined) return []
  const { ref: name, repository, commits } = read(pushed, payload, 'webhook')
  const { partition, id } = at
  const [, folder, short = ''] = /^refs\/(heads|tags)\/(.+)$/s.exec(name) ?? []
  if (folder === undefined) return []
  const kind = folder === 'heads' ? 'branch' : 'tag'
  const signals: Signal[] = [{ type: 'stale', kind, key: keyOfChild(id, short), partition }]
  if (folder === 'tags' || short !== (repository.default_branch ?? 'main')) return signals
  const paths = new Set(commits.flatMap(({ added, modified, removed }) => [...added, ...modified, ...removed]))
  if ([...paths].some((path) => path.startsWith('.github/workflows/')))
    signals.push({ type: 'resync', kind: workflow.name })
  const org = context.partitionOf(homeOf(at.repository).owner)
  if (org !== undefined && [...paths].some(isCodeowners)) {
    signals.push({ type: 'stale', kind: 'codeowners', key: id, partition: org })
  }
  if (paths.size > oneByOne) {
    return [...signals, { type: 'resync', kind: 'file' }, { type: 'resync', kind: 'folder' }]
  }
  const folders = new Set<string>()
  for (const path of paths) {
    signals.push({ type: 'stale', kind: 'file', key: keyOfChild(id, path), partition })
    const parts = path.split('/').slice(0, -1)
    for (const index of parts.keys()) folders.add(parts.slice(0, index + 1).join('/'))
  }
  for (const path of folders) signals.push({ type: 'stale', kind: 'folder', key: keyOfChild(id, path), partition })
  return signals
}

const numbered = z.looseObject({ number: z.int() })

/** Alerts lie in their organisation. The body lacks fields that listings have, so it is asked for. */
const alert =
  (kind: string): Handler =>
  (payload, context) => {
    const at = where(payload, context)
    const raw = payload['alert']
    if (at === undefined || !isObject(raw)) return []
    const { number } = read(numbered, raw, 'webhook')
    const home = homeOf(at.repository)
    const partition = context.partitionOf(home.owner)
    if (partition === undefined) return []
    return [{ type: 'stale', kind, key: keyOfChild(at.id, String(number)), partition }]
  }

const person = z.looseObject({ id: z.int() })

const member: Handler = (payload, context) => {
  const at = where(payload, context)
  if (at === undefined) return []
  const { id } = read(person, payload['member'] ?? null, 'webhook')
  const key = keyOfChild(at.id, String(id))
  return [{ type: 'stale', kind: collaborator.name, key, partition: at.partition }]
}

/** Something of the kind changed that the event names in another way than listings do. */
const again =
  (kind: string): Handler =>
  (payload, context) =>
    where(payload, context) === undefined ? [] : [{ type: 'resync', kind }]

const pull = child({ spec: pullRequest, field: 'pull_request', whole: true })
/** Reviews and comments carry an abridged pull request. */
const pullHint = child({ spec: pullRequest, field: 'pull_request' })
const issueHint = child({ spec: issueKind, field: 'issue' })

export const childHandlers: Readonly<Record<string, Handler>> = {
  branch_protection_rule: again('branch'),
  code_scanning_alert: alert('code-scanning-alert'),
  create: reference,
  delete: reference,
  dependabot_alert: alert('dependabot-alert'),
  deployment: child({ spec: deployment, field: 'deployment', whole: true }),
  deployment_review: again('deployment'),
  deployment_status: (payload, context) => [
    ...child({ spec: deployment, field: 'deployment' })(payload, context),
    ...child({ spec: deploymentStatus, field: 'deployment_status' })(payload, context),
  ],
  issue_comment: issueHint,
  issues: child({ spec: issueKind, field: 'issue', gone: ['deleted', 'transferred'] }),
  member,
  pull_request: pull,
  pull_request_review: pullHint,
  pull_request_review_comment: pullHint,
  pull_request_review_thread: pullHint,
  release: child({ spec: release, field: 'release', gone: ['deleted'] }),
  secret_scanning_alert: alert('secret-scanning-alert'),
  workflow_run: child({ spec: workflowRun, field: 'workflow_run', whole: true }),
}
