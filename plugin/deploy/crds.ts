import { readFileSync } from "node:fs";
import { join } from "node:path";
import { POOL_RULES } from "./pool-rules.ts";
import { insertStatusSchemas } from "./status-schema.ts";

/** Renders manifests/crds.yaml from crds.template.yaml: `NAME()` is replaced by the rule or the schema of that name. */
export function renderCrds(): string {
  const template = readFileSync(join(import.meta.dirname, "crds.template.yaml"), "utf8");
  const manifest = Object.entries(POOL_RULES).reduce(
    (text, [name, rule]) => text.replaceAll(`${name}()`, () => rule),
    insertStatusSchemas(template.replace(/^#.*\n/, "")),
  );
  return `# Generated from crds.template.yaml by \`npm run generate\`.\n${manifest}`;
}
