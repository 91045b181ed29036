import type { Environment } from "../../clusters/environments/environment.ts";
import { countByEnvironment, type EnvironmentCounts } from "../../results/environments.ts";
import type { Report } from "../../results/schema.ts";
import { variantTitle } from "../../results/title.ts";

/**
 * Returns docs/environments.md: what every environment changes, and what a run found in each. Pure.
 * @param report of `npm run e2e -- --environment all`
 */
export function renderPage(environments: readonly Environment[], report: Report): string {
  const counts = new Map(countByEnvironment(report).map((one) => [one.environment, one]));
  const impossible = environments.flatMap(impossibleRows);
  const undecided = environments.flatMap(({ name, undecided: cells }) =>
    cells === undefined ? [] : [row([name, cells.reason])],
  );
  return [
    "# Environments",
    "",
    "Cluster configurations that differ from the suite's own, as real clusters do. Each is one file in",
    "[clusters/environments](../clusters/environments); `npm run environments` lists them.",
    "",
    "```sh",
    "npm run e2e -- --provider lab --environment all  # every environment, each in a cluster of its own",
    "npm run environments -- --write                  # this page, from the last run",
    "```",
    "",
    "`--environment NAME` of `e2e` runs one; `--environment NAME` of `up` brings up a cluster to look at.",
    "",
    "## Results",
    "",
    describeReport(report, counts),
    "",
    row(["environment", "what differs", "real clusters", "providers", "passed", "blocked", "failed"]),
    row(["---", "---", "---", "---", "--:", "--:", "--:"]),
    ...environments.map((environment) => environmentRow(environment, counts.get(environment.name), report)),
    "",
    "Blocked cells are those that the environment makes impossible, or that the gate of kube-proxy's version blocks;",
    "a blocked cell that is answered counts as failed.",
    "",
    ...(impossible.length === 0
      ? []
      : [
          "## What cannot work",
          "",
          "NodeState says so on every node, by a condition that is False:",
          "",
          row(["environment", "reason", "condition"]),
          row(["---", "---", "---"]),
          ...impossible,
          "",
        ]),
    ...(undecided.length === 0
      ? []
      : [
          "## What is not asked",
          "",
          "Cells that pass or fail at random by the cluster's own settings; their group is a skipped check in the report:",
          "",
          row(["environment", "reason"]),
          row(["---", "---"]),
          ...undecided,
          "",
        ]),
  ].join("\n");
}

function describeReport(report: Report, counts: ReadonlyMap<string, EnvironmentCounts>): string {
  const sum = (name: "cells" | "failed" | "falseGreen") =>
    [...counts.values()].reduce((all, one) => all + one[name], 0);
  const variants = new Set(report.variants.map(({ environment: _, ...variant }) => variantTitle(variant)));
  return [
    `Run of ${report.started.slice(0, "2026-01-01".length)} on ${report.provider} with Kubernetes ${report.versions["kubernetes"] ?? "(unknown)"}`,
    `(${[...variants].join("; ")}): ${counts.size} environments, ${sum("cells")} cells,`,
    `${sum("failed")} failed; ${sum("falseGreen")} that the doctor predicted to pass did not.`,
  ].join("\n");
}

function environmentRow(environment: Environment, counts: EnvironmentCounts | undefined, report: Report): string {
  const { name, title, changes, realClusters, providers } = environment;
  const about = [`**${name}**: ${title}`, changes, realClusters, providers.join(", ")];
  if (counts !== undefined) return row([...about, ...[counts.passed, counts.blocked, counts.failed].map(String)]);
  const skipped = report.checks.find((check) => check.name === `environment ${name}`)?.error;
  return row([...about, `not run${skipped === undefined ? "" : `: ${skipped}`}`, "", ""]);
}

function impossibleRows({ name, impossible }: Environment): readonly string[] {
  return impossible.map(({ reason, condition }) => row([name, reason, `${condition.type} (${condition.reason})`]));
}

function row(entries: readonly string[]): string {
  return `| ${entries.map((entry) => entry.replaceAll("|", "\\|").replaceAll("\n", " ")).join(" | ")} |`;
}
