import { parseAllDocuments } from "yaml";
import type { Kubectl } from "./kubectl.ts";

/** Kinds that other objects need. */
const REQUIRED_KINDS = new Set(["CustomResourceDefinition", "Namespace"]);

/** Splits a manifest: the definitions and namespaces, which other objects need; the names of the definitions; and the rest. */
export function splitManifest(manifest: string): {
  readonly first: string;
  readonly definitions: readonly string[];
  readonly rest: string;
} {
  const documents = parseAllDocuments(manifest).map((document) => ({
    kind: String(document.get("kind")),
    name: String(document.getIn(["metadata", "name"])),
    text: String(document).replace(/^---\n/, ""),
  }));
  const join = (parts: readonly { readonly text: string }[]) => parts.map(({ text }) => text).join("---\n");
  return {
    first: join(documents.filter(({ kind }) => REQUIRED_KINDS.has(kind))),
    definitions: documents.flatMap(({ kind, name }) => (kind === "CustomResourceDefinition" ? [name] : [])),
    rest: join(documents.filter(({ kind }) => !REQUIRED_KINDS.has(kind))),
  };
}

/** Applies definitions and namespaces, waits until the definitions are served, then applies the rest. */
export async function applyWithDefinitions(kubectl: Kubectl, manifest: string): Promise<void> {
  const { first, definitions, rest } = splitManifest(manifest);
  if (first !== "") await kubectl.apply(first);
  if (definitions.length > 0)
    await kubectl.run(["wait", "--for=condition=Established", "--timeout=60s", ...definitions.map((d) => `crd/${d}`)]);
  await kubectl.apply(rest);
}
