import { parseAllDocuments } from "yaml";
import type { Kubectl } from "./kubectl.ts";

/** Kinds that other objects need. */
const REQUIRED_KINDS = new Set(["CustomResourceDefinition", "Namespace"]);

/**
 * Splits a manifest.
 * @returns the definitions and namespaces, which other objects need; the names of the definitions; and all other objects
 */
export function splitManifest(manifest: string): {
  readonly prerequisites: string;
  readonly definitions: readonly string[];
  readonly dependents: string;
} {
  const documents = parseAllDocuments(manifest).map((document) => ({
    kind: String(document.get("kind")),
    name: String(document.getIn(["metadata", "name"])),
    text: String(document).replace(/^---\n/, ""),
  }));
  const join = (parts: readonly { readonly text: string }[]) => parts.map(({ text }) => text).join("---\n");
  return {
    prerequisites: join(documents.filter(({ kind }) => REQUIRED_KINDS.has(kind))),
    definitions: documents.flatMap(({ kind, name }) => (kind === "CustomResourceDefinition" ? [name] : [])),
    dependents: join(documents.filter(({ kind }) => !REQUIRED_KINDS.has(kind))),
  };
}

/** Applies definitions and namespaces, waits until the definitions are served, then applies the other objects. */
export async function applyWithDefinitions(kubectl: Kubectl, manifest: string): Promise<void> {
  const { prerequisites, definitions, dependents } = splitManifest(manifest);
  if (prerequisites !== "") await kubectl.apply(prerequisites);
  if (definitions.length > 0)
    await kubectl.run([
      "wait",
      "--for=condition=Established",
      "--timeout=60s",
      ...definitions.map((name) => `crd/${name}`),
    ]);
  await kubectl.apply(dependents);
}
