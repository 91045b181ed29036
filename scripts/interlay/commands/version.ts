import { VersionApi } from "@kubernetes/client-node";
import { Command } from "commander";
import { readSuiteVersion } from "../../../e2e/support/suite-version.ts";
import { runOnAgents } from "../../cluster/run-on-agents.ts";
import {
  addClusterOptions,
  addGlobalOptions,
  type ClusterFlags,
  loadCluster,
  type OutputFormat,
} from "../program/common-options.ts";
import { printOutput } from "../program/output.ts";

interface VersionFlags extends ClusterFlags {
  readonly cluster?: true;
  readonly output: OutputFormat;
}

/** `interlay version`: this program's version, and with `--cluster` those of the API server and of each agent. */
export function createVersionCommand(): Command {
  const command = new Command("version")
    .description("print the version of this program, and with --cluster those of the cluster and its agents")
    .option("--cluster", "also ask the cluster; exit status 1 if an agent has another version")
    .addHelpText("after", "\nExample:\n  interlay version --cluster -o json");
  return addGlobalOptions(addClusterOptions(command), ["output"]).action(runVersion);
}

async function runVersion(flags: VersionFlags): Promise<void> {
  const { version, commit, modified } = await readSuiteVersion();
  const cluster = flags.cluster ? await readClusterVersions(flags) : undefined;
  const program = { version, ...(commit === undefined ? {} : { commit, modified: modified === true }) };
  printOutput(flags.output, { interlay: program, ...cluster }, () =>
    [
      `interlay    ${version}${commit === undefined ? "" : ` (${commit.slice(0, 12)}${modified ? ", modified" : ""})`}`,
      ...(cluster === undefined ? [] : [`kubernetes  ${cluster.kubernetes}`]),
      ...(cluster?.agents ?? []).map((agent) => `agent       ${agent.version} on ${agent.node}`),
    ].join("\n"),
  );
  if (cluster?.agents.some((agent) => agent.version !== version)) process.exitCode = 1;
}

async function readClusterVersions(flags: ClusterFlags) {
  const config = await loadCluster(flags);
  const [{ gitVersion }, { answers, failed }] = await Promise.all([
    config.makeApiClient(VersionApi).getCode(),
    runOnAgents(config, ["--version"], (text, node) => ({ node, version: text.trim() })),
  ]);
  const agents = [...answers, ...failed.map(({ node, error }) => ({ node, version: `unknown: ${error}` }))];
  return { kubernetes: gitVersion, agents: agents.toSorted((a, b) => a.node.localeCompare(b.node)) };
}
