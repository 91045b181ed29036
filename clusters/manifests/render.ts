import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { parseAllDocuments } from "yaml";

/** A manifest of this directory with its `__NAMES__` filled in. Throws if one is left, for it would be applied as it is. */
export async function renderManifest(
  name: "calico" | "coredns" | "flannel" | "kube-proxy" | "multus" | "multus-thick" | "node-local-dns",
  values: Readonly<Record<string, string>>,
): Promise<string> {
  return fillIn(await readFile(join(import.meta.dirname, `${name}.yaml`), "utf8"), values);
}

/** Placeholders that are not in `values` but are another program's (Calico's own in its CNI configuration) are named here. */
const FOREIGN = new Set(["__KUBERNETES_NODE_NAME__", "__CNI_MTU__", "__KUBECONFIG_FILEPATH__"]);

export function fillIn(template: string, values: Readonly<Record<string, string>>): string {
  return template.replaceAll(/__[A-Z][A-Z0-9_]*?__/g, (placeholder) => {
    if (FOREIGN.has(placeholder)) return placeholder;
    const value = values[placeholder.slice(2, -2)];
    if (value === undefined) throw new Error(`the manifest wants a value for ${placeholder}`);
    return value;
  });
}

/** Returns the one object of a manifest that has that name. Throws if there is none. */
export function selectObject(manifest: string, name: string): string {
  const found = parseAllDocuments(manifest).find((document) => document.getIn(["metadata", "name"]) === name);
  if (found === undefined) throw new Error(`the manifest has no object named ${name}`);
  return String(found).replace(/^---\n/, "");
}
