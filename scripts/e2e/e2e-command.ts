import { Command, Option } from "commander";
import { PROVIDER_NAMES, type ProviderName } from "../../clusters/spec/provider-name.ts";
import { DEFAULT_SPEC } from "../../clusters/spec/cluster-spec.ts";
import type { Settings } from "../../e2e/harness.ts";
import { SUITE_NAMES } from "../../e2e/specs/suites.ts";
import type { Variables } from "../../e2e/support/variables.ts";
import { addGlobalOptions, type OutputFormat } from "../interlay/program/common-options.ts";
import { addExistingClusterOptions } from "./existing-cluster-options.ts";

/** Options of `interlay test` and `npm run e2e`, as commander parses them. */
export interface Flags {
  readonly provider: string;
  readonly kubernetes: string;
  readonly family: string;
  readonly kubeProxy?: string;
  readonly returnPath?: string;
  readonly environment?: string;
  readonly nodes: string;
  readonly name: string;
  readonly yes?: true;
  readonly label?: string;
  readonly filter?: string;
  readonly shard?: string;
  readonly shuffle?: string;
  readonly failFast?: true;
  readonly retry?: string;
  readonly repeat?: string;
  readonly reporter: string;
  readonly list?: true;
  readonly suite: string;
  readonly cells?: string;
  readonly evidence?: string;
  readonly snapshot?: true;
  readonly runId?: string;
  readonly resultsDirectory?: string;
  readonly output: OutputFormat;
  readonly watch?: true;
  readonly keep?: true;
  readonly json?: true;
}

const EXAMPLES = {
  e2e: ["interlay dev e2e --provider lab --keep --cells '^matrix/.*/tcp$'"],
  test: [
    "interlay test                              # what the cluster has, and what is missing; changes nothing",
    "interlay test --yes --pool 10.7.210.0/26   # run the matrix, with these addresses for its pods",
  ],
} as const;

/** Returns the command with all options; nothing is parsed yet. @param provider default of `--provider` */
export function createCommand(name: keyof typeof EXAMPLES, provider: ProviderName): Command {
  const command = new Command(name)
    .description("bring a cluster up, run the connectivity matrix for every variant, write the results")
    .addOption(new Option("--provider <name>", "provider of the cluster").choices(PROVIDER_NAMES).default(provider))
    .option("--kube-proxy <list>", "versions, with a mode if not iptables: v1.28.15,v1.29.15/nftables")
    .option("--kubernetes <version>", "version of the control plane", DEFAULT_SPEC.kubernetes)
    .addOption(
      new Option("--family <family>", "address families; dual: every cell in both")
        .choices(["ipv4", "ipv6", "dual"])
        .default("ipv4"),
    )
    .option("--return-path <list>", "return paths, of notrack, liberal, snat and none (default: liberal,notrack)")
    .option(
      "--environment <list>",
      "cluster configurations (docs/environments.md), or all; each gets a cluster of its own",
    )
    .option("--nodes <n>", "number of worker nodes", String(DEFAULT_SPEC.workers))
    .option("--name <name>", "cluster name", DEFAULT_SPEC.name)
    .option("--label <expression>", "only specs whose labels match, like matrix && !slow")
    .option("--filter <regexp>", "only specs whose full name matches")
    .option("--shard <part>", "only a part of the specs, like 2/3")
    .option("--shuffle <seed>", "specs in a random order, the same for the same seed")
    .option("--fail-fast", "skip the rest after the first failure")
    .option("--retry <n>", "further attempts for a spec that fails")
    .option("--repeat <n>", "run every spec n times")
    .option("--reporter <name>", "reporter of mocha", "spec")
    .option("--list", "print the specs with their labels, and run nothing")
    .option("--suite <list>", `comma-separated suites: ${SUITE_NAMES.join(", ")}`, "matrix")
    .option("--cells <regexp>", "only cells whose id matches")
    .addOption(
      new Option(
        "--evidence <which>",
        "packet paths from captures: of failed (and blocked) or all cells; default: failed",
      ).choices(["none", "failed", "all"]),
    )
    .option("--snapshot", "write the state of nodes and pods into bundle.tar.gz also when nothing fails")
    .option("--run-id <id>", "name of the run's directory in results/runs")
    .option("--watch", "keep the cluster, and run again when a source file changes")
    .option("--keep", "keep cluster and pods: the next run starts at once")
    .addOption(new Option("--results-directory <path>", "results directory of an environment within a run").hideHelp())
    .option("--json", "print the report as JSON on stdout, everything else on stderr; like --output json")
    .addHelpText("after", ["\nExamples:", ...EXAMPLES[name]].join("\n  "));
  return addGlobalOptions(addExistingClusterOptions(command), ["output"]);
}

/**
 * Returns the options of the run as variables for `parseRunOptions`.
 * @param chosen options that the environment determines
 */
export function listVariables(
  flags: Flags,
  chosen: { readonly environment: string | undefined; readonly family: string },
): Variables {
  const variables: Variables = {
    INTERLAY_KUBE_PROXY: flags.kubeProxy,
    INTERLAY_RETURN_PATH: flags.returnPath,
    INTERLAY_ENVIRONMENT: chosen.environment,
    INTERLAY_NODES: flags.nodes,
    INTERLAY_PROVIDER: flags.provider,
    INTERLAY_KUBERNETES: flags.kubernetes,
    INTERLAY_FAMILY: chosen.family,
    INTERLAY_CLUSTER: flags.name,
    INTERLAY_CELLS: flags.cells,
    INTERLAY_EVIDENCE: flags.evidence,
    INTERLAY_SNAPSHOT: flags.snapshot ? "true" : undefined,
    INTERLAY_KEEP: flags.keep ? "true" : undefined,
  };
  return Object.fromEntries(Object.entries(variables).filter(([, value]) => value !== undefined));
}

/** Returns the settings of the harness. @throws if a number is not a whole number */
export function parseHarnessSettings(flags: Flags): Settings {
  const parseWholeNumber = (name: "shuffle" | "retry" | "repeat"): Settings => {
    const value = flags[name];
    if (value === undefined) return {};
    if (!/^\d+$/.test(value)) throw new Error(`invalid --${name} "${value}": a whole number is needed`);
    return { [name]: Number(value) };
  };
  return {
    ...(flags.label === undefined ? {} : { label: flags.label }),
    ...(flags.filter === undefined ? {} : { filter: flags.filter }),
    ...(flags.shard === undefined ? {} : { shard: flags.shard }),
    ...parseWholeNumber("shuffle"),
    ...parseWholeNumber("retry"),
    ...parseWholeNumber("repeat"),
    failFast: flags.failFast === true,
    reporter: flags.reporter,
  };
}
