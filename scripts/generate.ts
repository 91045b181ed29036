import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { renderCrds } from "../plugin/deploy/crds.ts";
import { publishSchemas } from "../results/files/json-schema.ts";
import { RESULTS } from "../results/files/write.ts";
import { formatApiReference } from "./interlay/api-reference.ts";
import { createProgram } from "./interlay/program/program.ts";
import { formatReference } from "./interlay/reference-file.ts";
import { VERBS } from "./interlay/verbs.ts";
import { formatSupportPage, SUPPORT_PAGE } from "./report/support-page.ts";

/**
 * `npm run generate`: writes the generated files: crds.yaml of manifests and chart from its template, the JSON Schemas of results,
 * docs/reference/cli.md, docs/reference/api.md and docs/support.md. Unit tests compare them with the code.
 */
const deploy = join(import.meta.dirname, "..", "plugin", "deploy");
const crds = [join(deploy, "manifests", "crds.yaml"), join(deploy, "chart", "crds", "crds.yaml")];
for (const file of crds) writeFileSync(file, renderCrds());
const reference = join(import.meta.dirname, "..", "docs", "reference", "cli.md");
mkdirSync(dirname(reference), { recursive: true });
writeFileSync(reference, await formatReference(await createProgram(VERBS), reference));
const api = join(dirname(reference), "api.md");
writeFileSync(api, await formatApiReference(api));
writeFileSync(SUPPORT_PAGE, await formatSupportPage());
for (const path of [...crds, reference, api, SUPPORT_PAGE, ...(await publishSchemas(RESULTS))])
  process.stdout.write(`${path}\n`);
