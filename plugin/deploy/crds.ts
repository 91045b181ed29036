import { readFileSync } from "node:fs";
import { join } from "node:path";
import { API_GROUP, DEPRECATED_VERSION, GROUP_VERSION, STORED_VERSION } from "../kubernetes/objects.ts";
import { POOL_RULES } from "./pool-rules.ts";
import { insertStatusSchemas } from "./status-schema.ts";

/** Renders manifests/crds.yaml from crds.template.yaml: `NAME()` is replaced by the rule or the schema of that name. */
export function renderCrds(): string {
  const template = readFileSync(join(import.meta.dirname, "crds.template.yaml"), "utf8");
  const manifest = Object.entries(POOL_RULES).reduce(
    (text, [name, rule]) => text.replaceAll(`${name}()`, () => rule),
    insertStatusSchemas(template.replace(/^#.*\n/, "")),
  );
  const served = manifest
    .split(/^---\n/m)
    .map(addDeprecatedVersion)
    .join("---\n");
  return `# Generated from crds.template.yaml by \`npm run generate\`.\n${served}`;
}

/** Adds the deprecated version to a definition, with the schema of the stored one: no conversion is needed. */
function addDeprecatedVersion(text: string): string {
  const stored = new RegExp(
    `^    - name: ${STORED_VERSION}\\n      served: true\\n      storage: true\\n([^]*)`,
    "m",
  ).exec(text);
  if (stored === null) throw new Error(`crds.template.yaml: a definition has no version ${STORED_VERSION}`);
  const [, schema = ""] = stored;
  return `${text}${[
    `    - name: ${DEPRECATED_VERSION}`,
    "      served: true",
    "      storage: false",
    "      deprecated: true",
    `      deprecationWarning: ${API_GROUP}/${DEPRECATED_VERSION} is deprecated; use ${GROUP_VERSION}`,
  ].join("\n")}\n${schema}`;
}
