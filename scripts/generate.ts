import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { renderCrds } from "../plugin/deploy/crds.ts";
import { publishSchemas } from "../results/files/json-schema.ts";
import { RESULTS } from "../results/files/write.ts";

/**
 * `npm run generate`: writes the generated files: crds.yaml of manifests and chart from its template, and the JSON Schemas of
 * results. Unit tests compare them with the code.
 */
const deploy = join(import.meta.dirname, "..", "plugin", "deploy");
const crds = [join(deploy, "manifests", "crds.yaml"), join(deploy, "chart", "crds", "crds.yaml")];
for (const file of crds) writeFileSync(file, renderCrds());
for (const path of [...crds, ...(await publishSchemas(RESULTS))]) process.stdout.write(`${path}\n`);
