// Leaves out of the compiled library what nobody who installs it needs: in JavaScript the comments, which the types keep,
// and of the types what no entry point leads to, and that classes implement interfaces. The rest is laid out as the source is,
// but with tabs, and without spaces in brackets.
import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'

const root = fileURLToPath(new URL('..', import.meta.url))
const dist = `${root}dist/`
const { exports } = JSON.parse(readFileSync(`${root}package.json`, 'utf8'))
const entries = Object.values(exports).flatMap(({ types }) => (types ? [root + types.slice(2)] : []))
const program = ts.createProgram(entries, {
  module: ts.ModuleKind.NodeNext,
  target: ts.ScriptTarget.ES2023,
  types: ['node'],
  skipLibCheck: true,
})
const checker = program.getTypeChecker()

/** A class has what it implements, but for what is internal. */
const isImplements = node => ts.isHeritageClause(node) && node.token === ts.SyntaxKind.ImplementsKeyword

/** Statements, and names in imports and exports. */
const needed = new Set()

/** What a name in an import or export stands for, in the file that it names or in its own. */
function target(name) {
  const from = ts.findAncestor(name, node => node.moduleSpecifier)?.moduleSpecifier
  if (!from) return checker.getExportSpecifierLocalTargetSymbol(name)
  const module = checker.getSymbolAtLocation(from)
  const isWhole = ts.isNamespaceImport(name) || ts.isNamespaceExport(name)
  return isWhole ? module : checker.tryGetMemberInModuleExports((name.propertyName ?? name.name).text, module)
}

function need(symbol) {
  for (const declaration of symbol?.declarations ?? []) {
    if (!declaration.getSourceFile().fileName.startsWith(dist)) continue
    if (ts.isSourceFile(declaration)) checker.getExportsOfModule(symbol).forEach(need)
    else if (symbol.flags & ts.SymbolFlags.Alias) needName(declaration)
    else needStatement(ts.findAncestor(declaration, node => ts.isSourceFile(node.parent)))
  }
}

function needName(name) {
  if (needed.has(name)) return
  needed.add(name)
  need(target(name))
}

function needStatement(statement) {
  if (needed.has(statement)) return
  needed.add(statement)
  const visit = node => {
    if (isImplements(node)) return
    if (ts.isIdentifier(node)) need(checker.getSymbolAtLocation(node))
    if (ts.isImportTypeNode(node) && !node.qualifier) need(checker.getSymbolAtLocation(node.argument.literal))
    ts.forEachChild(node, visit)
  }
  visit(statement)
}

/** The statement without what is not needed of it. */
function slim(statement) {
  const text = statement.getFullText()
  const names = statement.importClause?.namedBindings ?? statement.exportClause
  if (!names?.elements) {
    const isNeeded = needed.has(names ?? statement) || (ts.isExportDeclaration(statement) && !names)
    if (!isNeeded) return ''
    const whole = statement.heritageClauses?.find(isImplements)
    return whole ? text.replace(whole.getFullText(), '') : text
  }
  const kept = names.elements.filter(name => needed.has(name))
  if (kept.length === 0) return names.elements.length === 0 ? text : ''
  const begin = statement.getFullStart()
  const list = `{ ${kept.map(name => name.getText()).join(', ')} }`
  return text.slice(0, names.getStart() - begin) + list + text.slice(names.end - begin)
}

for (const entry of entries) need(checker.getSymbolAtLocation(program.getSourceFile(entry)))
for (const name of readdirSync(dist, { recursive: true })) {
  const file = dist + name
  if (name.endsWith('.js')) {
    const options = { target: 'es2023', module: 'esnext', removeComments: true }
    writeFileSync(file, ts.transpile(readFileSync(file, 'utf8'), options))
  } else if (name.endsWith('.d.ts')) {
    const text = program.getSourceFile(file)?.statements.map(slim).join('') ?? ''
    if (text === '') rmSync(file)
    else writeFileSync(file, text)
  }
}

const layout = ['format', '--write', `--config-path=${root}.ci/dist.json`, dist]
execFileSync(process.execPath, [`${root}node_modules/@biomejs/biome/bin/biome`, ...layout], { cwd: root, stdio: 'pipe' })
