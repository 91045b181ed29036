import type { Environment } from "../../clusters/spec/environment.ts";
import { countByEnvironment, type EnvironmentCounts } from "../../results/count-by-environment.ts";
import type { Report } from "../../results/schema.ts";
import { variantTitle } from "../../results/title.ts";

/**
 * Returns docs/environments.md: what every environment changes, and what a run found in each. Pure.
 * @param report of `npm run e2e -- --environment all`
 */
export function renderEnvironmentsPage(environments: readonly Environment[], report: Report): string {
  const counts = new Map(countByEnvironment(report).map((entry) => [entry.environment, entry]));
  const impossible = environments.flatMap(impossibleRows);
  const undecided = environments.flatMap(({ name, undecided: cells }) =>
    cells === undefined ? [] : [`- **${name}**: ${cells.reason}.`],
  );
  const notRun = environments.filter(({ name }) => !counts.has(name)).map(({ name }) => name);
  return [
    "# Environments",
    "",
    "This page lists, for users who compare them with their own clusters, the cluster configurations that the suite tests in",
    "addition to its default one, and the last results. They are defined in",
    "[clusters/environments](../clusters/environments).",
    "",
    "```sh",
    "npm run environments                             # list the environments",
    "npm run e2e -- --provider lab --environment all  # run every environment, each in a cluster of its own",
    "npm run environments -- --write                  # write this page from the last run",
    "```",
    "",
    "`--environment NAME` of `e2e` runs one environment; `--environment NAME` of `up` creates a cluster with it.",
    "",
    "## Results",
    "",
    describeReport(report, counts),
    "",
    renderRow([
      "environment",
      "providers",
      "passed",
      "blocked",
      "failed",
      "predicted",
      "false green",
      "false red",
      "unknown",
    ]),
    renderRow(["---", "---", ...Array<string>(7).fill("--:")]),
    ...environments.map((environment) => environmentRow(environment, counts.get(environment.name))),
    "",
    "A cell is blocked if the environment or kube-proxy's version makes it impossible. A blocked cell that is answered counts",
    "as failed. Predicted are the cells that a [trace](trace.md) computed before they were probed: a false green one failed",
    "although it was to pass, a false red one passed although it was to fail, and an unknown one could not be decided.",
    "",
    ...(notRun.length === 0 ? [] : ["Not run:", "", ...listNotRun(notRun, report), ""]),
    "## What each environment changes",
    "",
    ...environments.map(
      ({ name, changes, realClusters }) =>
        `- **${name}**: ${changes}.${realClusters === "" ? "" : ` Found in ${realClusters}.`}`,
    ),
    "",
    ...(impossible.length === 0
      ? []
      : ["## What cannot work", "", "The condition of NodeState is False on every node:", "", ...impossible, ""]),
    ...(undecided.length === 0
      ? []
      : [
          "## What is not tested",
          "",
          "These cells pass or fail at random, because of the cluster's own settings. The report lists their group as a skipped check:",
          "",
          ...undecided,
          "",
        ]),
  ].join("\n");
}

function describeReport(report: Report, counts: ReadonlyMap<string, EnvironmentCounts>): string {
  const sum = (count: (entry: EnvironmentCounts) => number) =>
    [...counts.values()].reduce((total, entry) => total + count(entry), 0);
  const variants = new Set(report.variants.map(({ environment: _, ...variant }) => variantTitle(variant)));
  return [
    `Run of ${report.started.slice(0, "2026-01-01".length)}, provider ${report.provider}, Kubernetes ${report.versions["kubernetes"] ?? "(unknown)"}: ${counts.size} environments,`,
    `${sum(({ cells }) => cells)} cells, ${sum(({ failed }) => failed)} failed. Of ${sum(countPredicted)} cells that a trace predicted, ${sum(countWrong)} were predicted wrongly. Variants:`,
    "",
    ...[...variants].map((variant) => `- ${variant}`),
  ].join("\n");
}

function countPredicted({ predictions }: EnvironmentCounts): number {
  return Object.values(predictions).reduce((total, count) => total + count, 0);
}

function countWrong({ predictions }: EnvironmentCounts): number {
  return predictions["false-green"] + predictions["false-red"];
}

function environmentRow({ name, providers }: Environment, counts: EnvironmentCounts | undefined): string {
  const numbers =
    counts === undefined
      ? ["not run", ...Array<string>(6).fill("")]
      : [
          ...[counts.passed, counts.blocked, counts.failed, countPredicted(counts)],
          ...[counts.predictions["false-green"], counts.predictions["false-red"], counts.predictions.unknown],
        ].map(String);
  return renderRow([`**${name}**`, providers.join(", "), ...numbers]);
}

/** Lists the environments without results, grouped by the reason in the report. */
function listNotRun(names: readonly string[], report: Report): readonly string[] {
  const byReason = new Map<string, string[]>();
  for (const name of names) {
    const reason = report.checks.find((check) => check.name === `environment ${name}`)?.error ?? "not selected";
    byReason.set(reason, [...(byReason.get(reason) ?? []), name]);
  }
  return [...byReason].map(([reason, environmentNames]) => `- ${environmentNames.join(", ")}: ${reason}`);
}

function impossibleRows({ name, impossible = [] }: Environment): readonly string[] {
  return impossible.map(
    ({ reason, condition }) => `- **${name}**, ${condition.type} (${condition.reason}): ${reason}.`,
  );
}

function renderRow(entries: readonly string[]): string {
  return `| ${entries.map((entry) => entry.replaceAll("|", "\\|").replaceAll("\n", " ")).join(" | ")} |`;
}
