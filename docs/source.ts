import { fileURLToPath } from 'node:url'
import ts from 'typescript'

const root = fileURLToPath(new URL('..', import.meta.url))
const files = {
  lockstep: `${root}src/index.ts`,
  tensorflow: `${root}node_modules/@tensorflow/tfjs/dist/index.d.ts`,
}

/** What parameters of ops are called where the source checks them first. */
const publicNames: Readonly<Record<string, string>> = { given: 'x', first: 'a', second: 'b' }

export type Library = keyof typeof files
export type Member = ts.Symbol

/** An option of a function, or an argument that is no object of options. */
export interface Option {
  readonly name: string
  /** Number of the argument. */
  readonly position: number
  readonly isArgument: boolean
  readonly required: boolean
  /** The values it may have, where its type lists them. */
  readonly values: readonly (string | boolean)[]
  /** The interface that declares it. */
  readonly from: string
}

/** The types and comments of what `lockstep` exports, and the types of what TensorFlow.js does. */
export class Source {
  private readonly program: ts.Program
  private readonly checker: ts.TypeChecker
  private readonly exported: Record<Library, Map<string, ts.Symbol>>

  constructor() {
    const config = ts.readConfigFile(`${root}tsconfig.json`, ts.sys.readFile).config
    const { options } = ts.parseJsonConfigFileContent(config, ts.sys, root)
    this.program = ts.createProgram(Object.values(files), options)
    this.checker = this.program.getTypeChecker()
    this.exported = { lockstep: this.exports('lockstep'), tensorflow: this.exports('tensorflow') }
  }

  private exports(library: Library): Map<string, ts.Symbol> {
    const file = this.program.getSourceFile(files[library])!
    const symbols = this.checker.getExportsOfModule(this.checker.getSymbolAtLocation(file)!)
    const original = (symbol: ts.Symbol) =>
      symbol.flags & ts.SymbolFlags.Alias ? this.checker.getAliasedSymbol(symbol) : symbol
    return new Map(symbols.map(symbol => [symbol.name, original(symbol)]))
  }

  /** The entries of an exported table. */
  entries(table: string, library: Library = 'lockstep'): ts.Symbol[] {
    return this.checker.getTypeOfSymbol(this.exported[library].get(table)!).getProperties()
  }

  /** The properties of a property of an entry. */
  properties(entry: ts.Symbol, name: string): ts.Symbol[] {
    const property = this.checker.getTypeOfSymbol(entry).getProperty(name)
    return property ? this.checker.getTypeOfSymbol(property).getProperties() : []
  }

  /** `name(x, axis?)`. */
  signature(entry: ts.Symbol): string {
    const [signature] = this.checker.getTypeOfSymbol(entry).getCallSignatures()
    const parameters = signature!.getParameters().map(({ name, valueDeclaration }) => {
      const isOptional = this.checker.isOptionalParameter(valueDeclaration as ts.ParameterDeclaration)
      return `${publicNames[name] ?? name}${isOptional ? '?' : ''}`
    })
    return `${entry.name}(${parameters.join(', ')})`
  }

  /** The comment of an entry, or of the constant or function that it stands for, as one line. */
  comment(entry: ts.Symbol): string {
    const declaration = entry.valueDeclaration
    const value =
      declaration && ts.isShorthandPropertyAssignment(declaration)
        ? this.checker.getShorthandAssignmentValueSymbol(declaration)
        : undefined
    const named = value ?? entry
    const original = named.flags & ts.SymbolFlags.Alias ? this.checker.getAliasedSymbol(named) : named
    for (const symbol of [entry, original]) {
      const text = ts.displayPartsToString(symbol?.getDocumentationComment(this.checker))
      if (text) return text.replace(/\s+/g, ' ').replace(/\|/g, '\\|')
    }
    return ''
  }

  /** The options of an exported function, or of a function in an exported table. */
  options(library: Library, ...path: readonly string[]): Option[] {
    const symbol = this.find(library, path)
    const type = symbol && this.checker.getTypeOfSymbol(symbol)
    const signature = type?.getCallSignatures()[0] ?? type?.getConstructSignatures()[0]
    return (signature?.parameters ?? []).flatMap((parameter, i) => this.optionsOf(parameter, i))
  }

  /** The public methods and properties of an exported class, and of those it extends. */
  members(library: Library, className: string): Member[] {
    return this.visible(this.checker.getDeclaredTypeOfSymbol(this.exported[library].get(className)!))
  }

  private visible(type: ts.Type): ts.Symbol[] {
    const hidden = ts.ModifierFlags.Private | ts.ModifierFlags.Protected
    return this.checker
      .getPropertiesOfType(type)
      .filter(({ declarations = [] }) =>
        declarations.every(one => !(ts.getCombinedModifierFlags(one) & hidden)),
      )
  }

  /** As members, of what a function in an exported table makes. */
  membersOfResult(library: Library, ...path: readonly string[]): ts.Symbol[] {
    const symbol = this.find(library, path)
    const [signature] = symbol ? this.checker.getTypeOfSymbol(symbol).getCallSignatures() : []
    return signature ? this.visible(signature.getReturnType()) : []
  }

  /** The options of a method of an exported class. */
  optionsOfMember(member: ts.Symbol): Option[] {
    const [signature] = this.checker.getTypeOfSymbol(member).getCallSignatures()
    return (signature?.parameters ?? []).flatMap((parameter, i) => this.optionsOf(parameter, i))
  }

  /** The keys of an object in TensorFlow.js' own files, by the name of its variable. */
  keys(file: string, variable: string): string[] {
    const path = `${root}node_modules/@tensorflow/tfjs-layers/dist/${file}`
    const tree = ts.createSourceFile(path, ts.sys.readFile(path)!, ts.ScriptTarget.Latest, true)
    const found: string[] = []
    const visit = (node: ts.Node): void => {
      if (ts.isVariableDeclaration(node) && node.name.getText() === variable && node.initializer) {
        if (ts.isObjectLiteralExpression(node.initializer))
          found.push(...node.initializer.properties.map(({ name }) => (name as ts.Identifier).text))
      }
      node.forEachChild(visit)
    }
    visit(tree)
    return found
  }

  /** Whether TensorFlow.js' documentation lists it. */
  isDocumented(member: ts.Symbol): boolean {
    return member.getJsDocTags(this.checker).some(({ name }) => name === 'doc')
  }

  private find(library: Library, [first, ...rest]: readonly string[]): ts.Symbol | undefined {
    return rest.reduce(
      (symbol, name) => symbol && this.checker.getTypeOfSymbol(symbol).getProperty(name),
      this.exported[library].get(first!),
    )
  }

  private optionsOf(parameter: ts.Symbol, position: number): Option[] {
    const type = this.checker.getTypeOfSymbol(parameter)
    const parts = type.isUnion() ? type.types : [type]
    const objects = parts.filter(part => this.isOptions(part))
    if (objects.length === 0) return [this.option(parameter, position, true)]
    return objects
      .flatMap(part => this.checker.getPropertiesOfType(part))
      .map(one => this.option(one, position, false))
  }

  /** An object that someone writes down: TensorFlow.js says so in the names of its interfaces. */
  private isOptions(type: ts.Type): boolean {
    const name = (type.aliasSymbol ?? type.symbol)?.name ?? '__type'
    return (
      (type.flags & (ts.TypeFlags.Object | ts.TypeFlags.Intersection)) !== 0 &&
      type.getCallSignatures().length === 0 &&
      type.getProperties().length > 0 &&
      (name === '__type' || /(Args|Options|Config|ConfigOf|Hooks|Partial|Omit)$/.test(name))
    )
  }

  private option(symbol: ts.Symbol, position: number, isArgument: boolean): Option {
    const type = this.checker.getTypeOfSymbol(symbol)
    const parts = type.isUnion() ? type.types : [type]
    const values = parts.flatMap((part): (string | boolean)[] => {
      if (part.isStringLiteral()) return [part.value]
      const text = this.checker.typeToString(part)
      return text === 'true' || text === 'false' ? [text === 'true'] : []
    })
    const [declaration] = symbol.declarations ?? []
    const parent = declaration?.parent
    const required =
      (symbol.flags & ts.SymbolFlags.Optional) === 0 &&
      !(declaration && ts.isParameter(declaration) && (declaration.questionToken || declaration.initializer))
    return {
      name: symbol.name,
      position,
      isArgument,
      required,
      values: values.sort(),
      from: parent && ts.isInterfaceDeclaration(parent) ? parent.name.text : '',
    }
  }
}
