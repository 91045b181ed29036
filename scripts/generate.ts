import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { renderChart } from "../plugin/deploy/chart.ts";
import { renderCrds } from "../plugin/deploy/crds.ts";
import { publishSchemas } from "../results/files/json-schema.ts";
import { RESULTS } from "../results/files/write.ts";

/**
 * `npm run generate`: writes the generated files: plugin/deploy/manifests/crds.yaml from its template, the Helm chart from the
 * manifests, and the JSON Schemas of results. Unit tests compare them with the code.
 */
const deploy = join(import.meta.dirname, "..", "plugin", "deploy");
const crds = join(deploy, "manifests", "crds.yaml");
writeFileSync(crds, renderCrds());
const chart = join(deploy, "chart");
rmSync(chart, { recursive: true, force: true });
for (const [path, text] of Object.entries(renderChart())) {
  const file = join(chart, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}
for (const path of [crds, chart, ...(await publishSchemas(RESULTS))]) process.stdout.write(`${path}\n`);
