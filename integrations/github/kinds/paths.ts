import type { JsonObject } from '../../../core/sdk/index.ts'
import type { Home } from '../directory.ts'
import { fits } from '../glob.ts'
import { textIn } from '../shape.ts'
import { type PathWant, pathsOf } from '../wants.ts'
import type { TreeSpec } from './files.ts'

/** Does this want concern the repository at all? */
export function concerns(
  want: PathWant,
  home: { readonly name: string; readonly fullName: string; readonly owner: string },
): boolean {
  if (want.organization !== undefined && want.organization.toLowerCase() !== home.owner.toLowerCase()) return false
  const names = [home.name.toLowerCase(), home.fullName.toLowerCase()]
  return want.repos === undefined || want.repos.some(({ name }) => names.includes(name.toLowerCase()))
}

export function branchesOf(want: PathWant, home: Home): readonly string[] {
  const named = want.repos?.filter(({ name }) => [home.name, home.fullName].includes(name)) ?? []
  return named.length === 0 ? [home.defaultBranch] : named.map(({ branch }) => branch ?? home.defaultBranch)
}

/** Of the default branch it is the path alone, so that a renamed branch changes no key. */
export const idOf = (path: string, branch: string, defaultBranch: string): string =>
  branch === defaultBranch ? path : `${branch}:${path}`

/** Does a mapping with this selector want it? Pure. */
export function selectsPath(
  spec: Pick<TreeSpec, 'name' | 'repository' | 'branch' | 'path'>,
  item: JsonObject,
  selector: JsonObject,
): boolean {
  const wanted = pathsOf(selector, spec.name === 'file' ? 'files' : 'folders')
  if (wanted.length === 0) return true
  const home = {
    name: textIn(item, [...spec.repository, 'name'], spec.name),
    fullName: textIn(item, [...spec.repository, 'full_name'], spec.name),
    owner: textIn(item, [...spec.repository, 'owner', 'login'], spec.name),
  }
  const path = textIn(item, spec.path, spec.name)
  const branch = textIn(item, spec.branch, spec.name)
  const defaultBranch = textIn(item, [...spec.repository, 'default_branch'], spec.name)
  return wanted.some((want) => {
    if (!concerns(want, home) || !fits(want.path, path)) return false
    const named = want.repos?.filter(({ name }) => [home.name, home.fullName].includes(name)) ?? []
    if (named.length === 0) return branch === defaultBranch
    return named.some((one) => (one.branch ?? defaultBranch) === branch)
  })
}
