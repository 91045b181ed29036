import { Command } from "commander";
import { stopPrivateEngine } from "../clusters/docker/engine.ts";
import { createProgress } from "../clusters/create-progress.ts";
import { PROVIDER_NAMES } from "../clusters/provider-name.ts";
import { loadProvider } from "../clusters/providers.ts";
import { DEFAULT_SPEC } from "../clusters/provider.ts";

/** Nothing of the cluster is left; what was built stays in the cache. */
const program = new Command("down")
  .description("take the cluster down")
  .option("--provider <name>", `where it came from: ${PROVIDER_NAMES.join(", ")}`, "kind")
  .option("--name <name>", "cluster name", DEFAULT_SPEC.name)
  .option("--kubeconfig <file>", "with --provider existing: which cluster")
  .option("--context <name>", "with --provider existing: of the kubeconfig, if not its current one")
  .option("--all", "also stop the private Docker daemon, and with it every cluster on it")
  .parse();
const flags = program.opts<{ provider: string; name: string; kubeconfig?: string; context?: string; all?: true }>();
if (flags.kubeconfig !== undefined) process.env["INTERLAY_KUBECONFIG"] = flags.kubeconfig;
if (flags.context !== undefined) process.env["INTERLAY_CONTEXT"] = flags.context;
const progress = createProgress();
try {
  await (await loadProvider(flags.provider)).down(flags.name, progress);
  if (flags.all === true) await stopPrivateEngine(progress);
} catch (error) {
  process.stderr.write(`down: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
}
process.exit(0);
