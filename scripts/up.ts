import { Command } from "commander";
import { buildProbe } from "../e2e/probe/build.ts";
import { kindProvider } from "../clusters/kind/kind.ts";
import { plainProgress } from "../clusters/progress-plain.ts";
import { DEFAULT_SPEC } from "../clusters/provider.ts";

/** A cluster to play with. */
const program = new Command("up")
  .description("bring a kind cluster up with Calico, Multus, Macvlan and Interlay")
  .option("--nodes <n>", "worker nodes", String(DEFAULT_SPEC.workers))
  .option("--name <name>", "cluster name", DEFAULT_SPEC.name)
  .parse();
const options = program.opts<{ nodes: string; name: string }>();
const spec = { ...DEFAULT_SPEC, name: options.name, workers: Number(options.nodes), probe: await buildProbe() };
const findings = await kindProvider.preflight(spec);
for (const { severity, message } of findings) process.stderr.write(`${severity}: ${message}\n`);
if (findings.some((f) => f.severity === "error")) process.exit(1);
const cluster = await kindProvider.up(spec, plainProgress());
process.stdout.write(`export KUBECONFIG=${cluster.kubeconfig}\n`);
process.exit(0);
