import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { parseAllDocuments } from "yaml";

/** Returns a manifest of this directory with values for its placeholders. @throws for a placeholder without a value */
export async function renderManifest(
  name: "calico" | "coredns" | "flannel" | "kube-proxy" | "multus" | "multus-thick" | "node-local-dns",
  values: Readonly<Record<string, string>>,
): Promise<string> {
  return fillTemplate(await readFile(join(import.meta.dirname, `${name}.yaml`), "utf8"), values);
}

/** Placeholders that another program replaces: Calico, in its CNI configuration. */
const FOREIGN_PLACEHOLDERS = new Set(["__KUBERNETES_NODE_NAME__", "__CNI_MTU__", "__KUBECONFIG_FILEPATH__"]);

/** Replaces the placeholders `__NAME__` of a template. @throws for a placeholder without a value */
export function fillTemplate(template: string, values: Readonly<Record<string, string>>): string {
  return template.replaceAll(/__[A-Z][A-Z0-9_]*?__/g, (placeholder) => {
    if (FOREIGN_PLACEHOLDERS.has(placeholder)) return placeholder;
    const value = values[placeholder.slice(2, -2)];
    if (value === undefined) throw new Error(`missing value for the placeholder ${placeholder} of the manifest`);
    return value;
  });
}

/** Returns the object of a manifest that has a name. @throws if there is none */
export function selectObject(manifest: string, name: string): string {
  const namedObject = parseAllDocuments(manifest).find((document) => document.getIn(["metadata", "name"]) === name);
  if (namedObject === undefined) throw new Error(`the manifest has no object with the name ${name}`);
  return String(namedObject).replace(/^---\n/, "");
}
