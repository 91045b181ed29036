import { readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import ts from "typescript";

/** An import of one source file by another one; both paths are relative to the project's root. */
export interface ImportEdge {
  readonly from: string;
  readonly to: string;
}

/** Reads the imports between the source files `names`, type-only imports included. Packages are ignored. */
export function readImports(root: string, names: readonly string[]): readonly ImportEdge[] {
  const known = new Set(names);
  return names.flatMap((from) =>
    ts
      .preProcessFile(readFileSync(join(root, from), "utf8"), true, true)
      .importedFiles.filter(({ fileName }) => fileName.startsWith("."))
      .map(({ fileName }) => ({ from, to: relative(root, join(root, dirname(from), fileName)) }))
      .filter(({ to }) => known.has(to)),
  );
}

/** Replaces each file by its folder; imports inside a folder are left out. */
export function toFolderEdges(edges: readonly ImportEdge[]): readonly ImportEdge[] {
  const folders = edges.map(({ from, to }) => ({ from: dirname(from), to: dirname(to) }));
  return folders.filter(({ from, to }) => from !== to);
}

/**
 * Finds import cycles as the strongly connected components of the import graph (Tarjan's algorithm).
 *
 * @returns the members of each cycle, sorted; empty if every import points one way
 */
export function findCycles(edges: readonly ImportEdge[]): readonly (readonly string[])[] {
  const targets = new Map<string, Set<string>>();
  for (const { from, to } of edges) {
    targets.set(from, (targets.get(from) ?? new Set()).add(to));
    if (!targets.has(to)) targets.set(to, new Set());
  }
  const order = new Map<string, number>();
  const lowest = new Map<string, number>();
  const stack: string[] = [];
  const cycles: (readonly string[])[] = [];
  const visit = (node: string): number => {
    const index = order.size;
    order.set(node, index);
    let low = index;
    stack.push(node);
    for (const target of targets.get(node) ?? []) {
      if (!order.has(target)) low = Math.min(low, visit(target));
      else if (stack.includes(target)) low = Math.min(low, order.get(target) ?? low);
    }
    lowest.set(node, low);
    if (low === index) {
      const members = stack.splice(stack.indexOf(node));
      if (members.length > 1) cycles.push(members.sort());
    }
    return low;
  };
  for (const node of targets.keys()) if (!order.has(node)) visit(node);
  return cycles;
}
