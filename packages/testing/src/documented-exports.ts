/** Follows the exports of a package's `src/index.ts` to their declarations and reads their docstrings. */
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import ts from 'typescript'

const parse = (file: string) =>
  ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.Latest, true)

/** The file of a relative import, with or without its extension. */
const moduleFile = (from: string, specifier: string): string => {
  const path = join(dirname(from), specifier)
  const file = [path, `${path}.ts`, join(path, 'index.ts')].find((f) => /\.ts$/.test(f) && existsSync(f))
  if (!file) throw new Error(`${from}: cannot find the module ${specifier}.`)
  return file
}

const hasExample = (node: ts.Node) => ts.getJSDocTags(node).some((tag) => tag.tagName.text === 'example')

/** Whether the declaration that `name` refers to in `file` has an `@example`; true when another package declares it. */
function documented(file: string, name: string): boolean {
  for (const statement of parse(file).statements) {
    if (ts.isVariableStatement(statement)) {
      const declares = statement.declarationList.declarations.some((d) => d.name.getText() === name)
      if (declares && hasExample(statement)) return true
    } else if (
      (ts.isFunctionDeclaration(statement) || ts.isClassDeclaration(statement)) &&
      statement.name?.text === name
    ) {
      if (hasExample(statement)) return true
    } else if (ts.isExportDeclaration(statement) || ts.isImportDeclaration(statement)) {
      const bindings = ts.isExportDeclaration(statement)
        ? statement.exportClause
        : statement.importClause?.namedBindings
      if (!bindings || !(ts.isNamedExports(bindings) || ts.isNamedImports(bindings))) continue
      for (const { name: local, propertyName } of bindings.elements) {
        if (local.text !== name || !statement.moduleSpecifier) continue
        const specifier = (statement.moduleSpecifier as ts.StringLiteral).text
        if (!specifier.startsWith('.')) return true
        return documented(moduleFile(file, specifier), (propertyName ?? local).text)
      }
    }
  }
  return false
}

/** Those of `names`, exported by the package's `src/index.ts`, whose docstring has no `@example`. */
export function exportsWithoutExample(root: string, names: string[]): string[] {
  return names.filter((name) => !documented(join(root, 'src', 'index.ts'), name))
}
