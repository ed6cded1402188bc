import { isDeepStrictEqual } from 'node:util'
import { CatchmentError, type Json } from '../sdk/index.ts'
import type { MappingContent, SourceRuntime, Version, VersionProblem } from '../sync/engine.ts'

/** A version that somebody wants to try, compiled. */
export interface Candidate {
  readonly content: MappingContent
  readonly version: Version
  readonly how: 'apply' | 'rollback'
}

/** Throws `mapping_invalid` with every mistake at its place. */
export function compileCandidate(
  runtime: SourceRuntime,
  content: MappingContent,
  how: Candidate['how'] = 'apply',
): Candidate {
  if (runtime.versions === undefined) {
    throw new CatchmentError(`The mapping of ${runtime.name} cannot be changed while it runs.`, {
      code: 'plan_impossible',
      status: 409,
      hint: 'Change its file and start again with --apply.',
    })
  }
  const version = runtime.versions.compile(content)
  const errors = version.problems.filter(({ severity }) => severity === 'error')
  if (version.usable && errors.length === 0) return { content, version, how }
  throw new CatchmentError(describeProblems(errors) || `${content.file} cannot be used.`, {
    code: 'mapping_invalid',
    status: 422,
    exitCode: 2,
    hint: 'Nothing was planned. Correct the file; `catchment mapping lint FILE` says the same without a server.',
    details: { problems: errors },
  })
}

/** Each at its place, with what to do about it. */
export function describeProblems(problems: readonly VersionProblem[]): string {
  return problems
    .map(({ file, line, column, message, hint }) =>
      [`${file}:${line}:${column}: ${message}`, ...(hint === undefined ? [] : [`  hint: ${hint}`])].join('\n'),
    )
    .join('\n')
}

/** Which parts differ: `mapping`, `blueprints`, `variables`, and so on. The name of the file says nothing. */
export function differences(active: MappingContent, candidate: MappingContent): readonly string[] {
  const names = new Set([...Object.keys(active), ...Object.keys(candidate)])
  names.delete('file')
  // Both come from JSON, or go there.
  const [a, b] = [plain(active), plain(candidate)]
  return [...names].filter((name) => !isDeepStrictEqual(a[name], b[name])).toSorted()
}

function plain(content: MappingContent): Readonly<Record<string, unknown>> {
  return JSON.parse(JSON.stringify(content)) as Record<string, unknown>
}

function shown(fetched: Json): string {
  return fetched === null ? 'nothing else' : JSON.stringify(fetched)
}

/** What stored records cannot tell: a kind whose selectors make the source fetch something else has to be listed again. */
export function scansNeeded(
  runtime: SourceRuntime,
  active: Version | undefined,
  candidate: Version,
): readonly { readonly kind: string; readonly reason: string }[] {
  return runtime.kinds.flatMap((kind) => {
    const [before, after] = [active?.fetches[kind] ?? null, candidate.fetches[kind] ?? null]
    if (runtime.keeping?.hashOnly(kind) === true && active?.mappings.hash !== candidate.mappings.hash) {
      return [
        { kind, reason: 'only hashes of it are kept: what the other version makes of it shows when it is scanned' },
      ]
    }
    if (active === undefined || isDeepStrictEqual(before, after)) return []
    return [{ kind, reason: `its selectors fetch ${shown(after)} now, and ${shown(before)} before` }]
  })
}
