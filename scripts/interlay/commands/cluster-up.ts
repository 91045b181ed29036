import { Command, Option } from "commander";
import { findEnvironment } from "../../../clusters/environments/registry.ts";
import { createProgress } from "../../../clusters/progress/create-progress.ts";
import { PROVIDER_NAMES } from "../../../clusters/spec/provider-name.ts";
import { loadProvider } from "../../../clusters/providers.ts";
import { DEFAULT_SPEC } from "../../../clusters/spec/cluster-spec.ts";
import { buildClusterSpec } from "../../../e2e/support/build-cluster-spec.ts";
import { parseKubeProxy, parseRunOptions } from "../../../e2e/support/run-options.ts";
import { findSkipReason } from "../../e2e/run-environments.ts";

interface UpFlags {
  readonly provider: string;
  readonly nodes: string;
  readonly name: string;
  readonly kubeProxy: string;
  readonly environment?: string;
  readonly family?: string;
}

/** `interlay cluster up`: creates a cluster to experiment with. */
export function createUpCommand(): Command {
  return new Command("up")
    .description("create a cluster with Calico, Multus, Macvlan and Interlay, or finish an incomplete one")
    .addOption(new Option("--provider <name>", "provider of the cluster").choices(PROVIDER_NAMES).default("kind"))
    .option("--nodes <n>", "worker nodes", String(DEFAULT_SPEC.workers))
    .option("--name <name>", "cluster name", DEFAULT_SPEC.name)
    .option("--environment <name>", "cluster configuration (docs/environments.md)")
    .addOption(
      new Option("--family <family>", "address families (default: the environment's, else ipv4)").choices([
        "ipv4",
        "ipv6",
        "dual",
      ]),
    )
    .option(
      "--kube-proxy <version>",
      "version, with its mode unless it is iptables: v1.29.15/nftables",
      DEFAULT_SPEC.kubeProxy.version,
    )
    .addHelpText("after", "\nExample:\n  interlay cluster up --provider lab --name play")
    .action(runUp);
}

async function runUp(flags: UpFlags): Promise<void> {
  for (const signal of ["SIGINT", "SIGTERM"] as const)
    process.on(signal, () => {
      process.stderr.write(`\n${signal}: npm run up finishes the cluster, npm run down deletes it.\n`);
      process.exit(130);
    });
  const provider = await loadProvider(flags.provider);
  const workers = Number(flags.nodes);
  if (!Number.isInteger(workers) || workers < 1)
    throw new Error(`invalid --nodes ${flags.nodes}: want a number of at least 1`);
  const environment = flags.environment === undefined ? undefined : findEnvironment(flags.environment);
  const reason = environment === undefined ? undefined : await findSkipReason(environment, provider.name);
  if (reason !== undefined) throw new Error(`--environment ${flags.environment ?? ""}: ${reason}.`);
  const requested = parseKubeProxy(flags.kubeProxy);
  const kubeProxy = { ...requested, mode: environment?.spec.kubeProxy?.mode ?? requested.mode };
  const options = parseRunOptions({
    INTERLAY_FAMILY: flags.family ?? environment?.families ?? "ipv4",
    ...process.env,
    ...(environment === undefined ? {} : { INTERLAY_ENVIRONMENT: environment.name }),
  });
  // Load the images of every kube-proxy that a run may switch to.
  const clusterSpec = await buildClusterSpec({ ...options, name: flags.name, workers });
  const spec = { ...clusterSpec, kubeProxy, kubeProxies: [...clusterSpec.kubeProxies, kubeProxy] };
  const findings = await provider.preflight(spec);
  for (const { severity, message } of findings) process.stderr.write(`${severity}: ${message}\n`);
  if (findings.some(({ severity }) => severity === "error")) throw new Error("the preflight found errors, see above");
  const cluster = await provider.up(spec, createProgress());
  process.stdout.write(`export KUBECONFIG=${cluster.kubeconfig}\n`);
}
