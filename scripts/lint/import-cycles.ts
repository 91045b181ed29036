import { readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import ts from "typescript";

/** An import of one source file by another one; both paths are relative to the project's root. */
interface ImportEdge {
  readonly from: string;
  readonly to: string;
  /** The import exists for the compiler only. */
  readonly typeOnly: boolean;
}

/** Reads the imports between the source files `names`. Imports of packages are left out. */
export function readImports(root: string, names: readonly string[]): readonly ImportEdge[] {
  const known = new Set(names);
  return names.flatMap((from) =>
    parseImports(from, readFileSync(join(root, from), "utf8"))
      .map(({ to, typeOnly }) => ({ from, to: relative(root, join(root, dirname(from), to)), typeOnly }))
      .filter(({ to }) => known.has(to)),
  );
}

/** Parses the relative paths that a source text imports or exports from, also by `import()`. */
export function parseImports(
  name: string,
  text: string,
): readonly { readonly to: string; readonly typeOnly: boolean }[] {
  const found: { readonly to: string; readonly typeOnly: boolean }[] = [];
  const add = (specifier: ts.Expression | undefined, typeOnly: boolean): void => {
    if (specifier !== undefined && ts.isStringLiteral(specifier) && specifier.text.startsWith("."))
      found.push({ to: specifier.text, typeOnly });
  };
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node)) add(node.moduleSpecifier, isTypeOnly(node));
    else if (ts.isExportDeclaration(node)) add(node.moduleSpecifier, node.isTypeOnly);
    else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword)
      add(node.arguments[0], false);
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(name, text, ts.ScriptTarget.Latest));
  return found;
}

function isTypeOnly({ importClause }: ts.ImportDeclaration): boolean {
  if (importClause === undefined) return false;
  if (importClause.phaseModifier === ts.SyntaxKind.TypeKeyword) return true;
  const { name, namedBindings } = importClause;
  if (name !== undefined || namedBindings === undefined || !ts.isNamedImports(namedBindings)) return false;
  return namedBindings.elements.every((element) => element.isTypeOnly);
}

/** Replaces each file by its folder; imports inside a folder are left out. */
export function toFolderEdges(edges: readonly ImportEdge[]): readonly ImportEdge[] {
  return edges
    .map(({ from, to, typeOnly }) => ({ from: dirname(from), to: dirname(to), typeOnly }))
    .filter(({ from, to }) => from !== to);
}

/**
 * Finds import cycles: the strongly connected components of the import graph, by Tarjan's algorithm.
 *
 * @returns the sorted members of each cycle; empty if all imports point one way
 */
export function findCycles(edges: readonly Pick<ImportEdge, "from" | "to">[]): readonly (readonly string[])[] {
  const targets = new Map<string, Set<string>>();
  for (const { from, to } of edges) targets.set(from, (targets.get(from) ?? new Set()).add(to));
  const order = new Map<string, number>();
  const stack: string[] = [];
  const cycles: (readonly string[])[] = [];
  /** Returns the smallest order of a node on the stack that `node` reaches. */
  const visit = (node: string): number => {
    const own = order.size;
    order.set(node, own);
    stack.push(node);
    let lowest = own;
    for (const target of targets.get(node) ?? []) {
      const known = order.get(target);
      if (known === undefined) lowest = Math.min(lowest, visit(target));
      else if (stack.includes(target)) lowest = Math.min(lowest, known);
    }
    if (lowest === own) {
      const members = stack.splice(stack.indexOf(node));
      if (members.length > 1) cycles.push(members.sort());
    }
    return lowest;
  };
  for (const node of targets.keys()) if (!order.has(node)) visit(node);
  return cycles;
}
