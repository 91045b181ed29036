import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { renderChart } from "../plugin/deploy/chart.ts";
import { renderCrds } from "../plugin/deploy/crds.ts";

/** `npm run chart`: writes plugin/deploy/manifests/crds.yaml from its template, and the Helm chart from the manifests. */
const deploy = join(import.meta.dirname, "..", "plugin", "deploy");
writeFileSync(join(deploy, "manifests", "crds.yaml"), renderCrds());
const directory = join(deploy, "chart");
rmSync(directory, { recursive: true, force: true });
for (const [path, text] of Object.entries(renderChart())) {
  const file = join(directory, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}
process.stdout.write(`${directory}\n`);
