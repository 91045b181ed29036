import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import Table from "cli-table3";
import { Command } from "commander";
import { startScript, waitForExit } from "../clusters/shell.ts";
import { type Report, reportSchema, type VariantResult } from "../results/schema.ts";
import { countCells } from "../results/title.ts";
import { type SweepGroup, planSweep } from "./nightly/sweep-plan.ts";

/** Patches whose every module the Go proxy has. */
const VERSIONS = ["v1.28.15", "v1.29.15", "v1.31.4", "v1.34.1", "v1.37.2"];
const CONTROL_PLANES = ["v1.29.15", "v1.34.1", "v1.37.2"];

/** `npm run sweep`: what passes from which kube-proxy version in which mode, in labs. */
const program = new Command("sweep")
  .description("run the matrix in labs for many kube-proxy versions, both modes, both return paths; one table")
  .option("--versions <list>", "kube-proxy versions", VERSIONS.join(","))
  .option("--control-planes <list>", "Kubernetes versions to run them with", CONTROL_PLANES.join(","))
  .option("--return-path <list>", "liberal, notrack, none", "liberal,notrack")
  .option("--name <name>", "the labs' name", "sweep")
  .option("--dry-run", "print what would run with what")
  .parse();
const flags = program.opts<{
  versions: string;
  controlPlanes: string;
  returnPath: string;
  name: string;
  dryRun?: true;
}>();

interface Row {
  readonly kubernetes: string;
  readonly kubeProxy: string;
  readonly mode: string;
  readonly returnPath: string;
  readonly rule: string;
  readonly result: string;
}

const plan = planSweep(flags.versions.split(","), flags.controlPlanes.split(","));
const returnPaths = flags.returnPath.split(",");
const say = (text: string): void => {
  process.stdout.write(`${text}\n`);
};

if (flags.dryRun === true) {
  for (const { kubernetes, entries } of plan.groups)
    for (const { version, mode } of entries)
      say(`control plane ${kubernetes}: kube-proxy ${version} (${mode}), ${returnPaths.join(", ")}`);
  for (const { version, mode, reason } of plan.leftOut) say(`left out: kube-proxy ${version} (${mode}): ${reason}`);
  process.exit(0);
}

const started = performance.now();
const rows: Row[] = [];
let failed = 0;
for (const group of plan.groups) {
  const report = await runGroup(group);
  failed += report?.summary.failed ?? 1;
  rows.push(...group.entries.flatMap((entry) => returnPaths.map((path) => rowOf(group, entry, path, report))));
}
for (const { version, mode, reason } of plan.leftOut)
  rows.push({ kubernetes: "-", kubeProxy: version, mode, returnPath: "-", rule: "-", result: `skipped: ${reason}` });

const head = ["control plane", "kube-proxy", "mode", "return path", "INVALID rule", "cells"];
const lines = rows.map(({ kubernetes, kubeProxy, mode, returnPath, rule, result }) => [
  ...[kubernetes, kubeProxy, mode, returnPath, rule, result],
]);
const table = new Table({ head, style: { head: [], border: [] } });
table.push(...lines);
say(`\n${table.toString()}`);
const directory = join(import.meta.dirname, "..", "results", "runs");
await mkdir(directory, { recursive: true });
const file = join(directory, "sweep.md");
await writeFile(file, [head, head.map(() => "---"), ...lines].map((line) => `| ${line.join(" | ")} |\n`).join(""));
say(`\n${rows.length} rows in ${Math.round((performance.now() - started) / 1000)} s, also in ${file}`);
say(`${rows.length - plan.leftOut.length} variants, ${failed} failures, ${plan.leftOut.length} skipped`);
process.exit(failed === 0 ? 0 : 1);

/** One lab with that control plane; undefined if it did not get as far as a report. */
async function runGroup({ kubernetes, entries }: SweepGroup): Promise<Report | undefined> {
  const list = entries.map(({ version, mode }) => `${version}/${mode}`).join(",");
  say(`\n== control plane ${kubernetes}: ${list}`);
  const child = startScript(
    "scripts/e2e.ts",
    [
      ...["--provider", "lab", "--name", flags.name, "--json"],
      ...["--kubernetes", kubernetes, "--kube-proxy", list, "--return-path", flags.returnPath],
    ],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  await waitForExit(child);
  const output = await child.text();
  try {
    return reportSchema.parse(JSON.parse(output));
  } catch {
    return undefined;
  }
}

function rowOf(
  { kubernetes }: SweepGroup,
  entry: SweepGroup["entries"][number],
  path: string,
  report: Report | undefined,
): Row {
  const variant = report?.variants.find(
    ({ kubeProxy, returnPath }) =>
      kubeProxy.version === entry.version && kubeProxy.mode === entry.mode && returnPath === path,
  );
  return {
    ...{ kubernetes, kubeProxy: entry.version, mode: entry.mode, returnPath: path },
    rule: variant === undefined ? "?" : variant.invalidDropRule ? "in place" : "left out",
    result: variant === undefined ? "FAIL: the run did not get there" : resultOf(variant),
  };
}

function resultOf(variant: VariantResult): string {
  const { ok, failed: wrong, blocked } = countCells(variant);
  if (wrong > 0) return `FAIL: ${wrong} of ${ok + wrong} not as the gate says`;
  return blocked === 0 ? `all ${ok} pass` : `${ok - blocked} pass, ${blocked} blocked as the gate says`;
}
