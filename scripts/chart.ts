import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { renderChart } from "../plugin/deploy/chart.ts";

/** `npm run chart`: writes the Helm chart anew from plugin/deploy/manifests. */
const directory = join(import.meta.dirname, "..", "plugin", "deploy", "chart");
rmSync(directory, { recursive: true, force: true });
for (const [path, text] of Object.entries(renderChart())) {
  const file = join(directory, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}
process.stdout.write(`${directory}\n`);
