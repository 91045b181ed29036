import { readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import ts from "typescript";

/** An import of one source file by another one; both paths are relative to the project's root. */
interface ImportEdge {
  readonly from: string;
  readonly to: string;
}

/** Reads the imports between the source files `names`, types included. Imports of packages are left out. */
export function readImports(root: string, names: readonly string[]): readonly ImportEdge[] {
  const sourceFiles = new Set(names);
  return names.flatMap((from) =>
    parseImports(from, readFileSync(join(root, from), "utf8"))
      .map((to) => ({ from, to: relative(root, join(root, dirname(from), to)) }))
      .filter(({ to }) => sourceFiles.has(to)),
  );
}

/** Parses the relative paths that a source text imports or exports from, also by `import()`. */
export function parseImports(name: string, text: string): readonly string[] {
  const specifiers: string[] = [];
  const add = (specifier: ts.Expression | undefined): void => {
    if (specifier !== undefined && ts.isStringLiteral(specifier) && specifier.text.startsWith("."))
      specifiers.push(specifier.text);
  };
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) add(node.moduleSpecifier);
    else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) add(node.arguments[0]);
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(name, text, ts.ScriptTarget.Latest));
  return specifiers;
}

/** Replaces each file by its folder; imports inside a folder are left out. */
export function toFolderEdges(edges: readonly ImportEdge[]): readonly ImportEdge[] {
  return edges.map(({ from, to }) => ({ from: dirname(from), to: dirname(to) })).filter(({ from, to }) => from !== to);
}

/**
 * Finds import cycles: the strongly connected components of the import graph, by Tarjan's algorithm.
 *
 * @returns the sorted members of each cycle; empty if all imports point one way
 */
export function findCycles(edges: readonly ImportEdge[]): readonly (readonly string[])[] {
  const targets = new Map<string, Set<string>>();
  for (const { from, to } of edges) targets.set(from, (targets.get(from) ?? new Set()).add(to));
  const order = new Map<string, number>();
  const stack: string[] = [];
  const cycles: (readonly string[])[] = [];
  /** Returns the smallest order of a node on the stack that `node` reaches. */
  const visit = (node: string): number => {
    const nodeOrder = order.size;
    order.set(node, nodeOrder);
    stack.push(node);
    let lowest = nodeOrder;
    for (const target of targets.get(node) ?? []) {
      const targetOrder = order.get(target);
      if (targetOrder === undefined) lowest = Math.min(lowest, visit(target));
      else if (stack.includes(target)) lowest = Math.min(lowest, targetOrder);
    }
    if (lowest === nodeOrder) {
      const members = stack.splice(stack.indexOf(node));
      if (members.length > 1) cycles.push(members.sort());
    }
    return lowest;
  };
  for (const node of targets.keys()) if (!order.has(node)) visit(node);
  return cycles;
}
