import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

// npm run new:integration NAME: copies the template, which is an integration like any other and tested like it, registers the
// copy and writes the schema for editors anew.

const root = fileURLToPath(new URL('..', import.meta.url))
const [name = ''] = process.argv.slice(2)

if (!/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(name) || name === 'template') {
  fail(`How is it called? npm run new:integration NAME, in small letters, digits and single hyphens`)
}
const folders = [join('integrations', name), join('mappings', name)]
for (const folder of folders) if (existsSync(join(root, folder))) fail(`${folder} is there already`)

const camel = name.replaceAll(/-(.)/g, (_, letter: string) => letter.toUpperCase())
for (const folder of folders) {
  const target = join(root, folder)
  cpSync(join(target, '..', 'template'), target, { recursive: true })
  for (const entry of readdirSync(target, { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) rewrite(join(entry.parentPath, entry.name), renamed)
  }
}
rewrite(join(root, 'integrations/registry.ts'), registered)
const schema = execFileSync(process.execPath, [join(root, 'api/cli/bin.js'), 'config', 'schema'], { cwd: root })
writeFileSync(join(root, 'docs/catchment.schema.json'), schema)
// Another name is sorted to another place.
const biome = join(root, 'node_modules/@biomejs/biome/bin/biome')
execFileSync(
  process.execPath,
  [biome, 'check', '--write', ...folders, 'integrations/registry.ts', 'docs/catchment.schema.json'],
  { cwd: root },
)

process.stdout.write(`There is ${folders.join(' and ')}, registered. Its tests pass already:
  npm test -- integrations/${name}
Now make it yours, in this order (docs/add-a-source.md):
  1. schema.ts           what a configuration needs, and the fields that are kept
  2. source.fixture.ts   the part of the API that is used, as the vendor documents it
  3. client.ts, index.ts kinds and partitions
  4. mappings/${name}    what becomes of them, with a fixture for each kind
  npm run schema         after each change of the configuration
`)

function rewrite(file: string, change: (text: string) => string): void {
  writeFileSync(file, change(readFileSync(file, 'utf8')))
}

/** Text has the name as it is, code as an identifier. */
function renamed(text: string): string {
  return text
    .replaceAll(
      'Template',
      camel.replace(/^./, (letter) => letter.toUpperCase()),
    )
    .replaceAll("'template'", `'${name}'`)
    .replaceAll(/\btemplate(?=( token|\.example)\b)/g, name)
    .replaceAll('template', camel)
}

/** An import, which the formatter sorts, and an entry in its place. */
function registered(text: string): string {
  const lines = text.split('\n')
  const last = lines.findLastIndex((line) => line.startsWith('import '))
  lines.splice(last + 1, 0, `import { ${camel} } from './${name}/index.ts'`)
  const wordOf = (line: string): string => /^ {2}'?([\w-]+)'?(: \w+)?,$/.exec(line)?.[1] ?? ''
  const after = lines.findIndex((line) => wordOf(line) > name)
  const end = lines.findLastIndex((line) => line === '}')
  lines.splice(after < 0 ? end : after, 0, camel === name ? `  ${name},` : `  '${name}': ${camel},`)
  return lines.join('\n')
}

function fail(message: string): never {
  process.stderr.write(`${message}\n`)
  process.exit(2)
}
