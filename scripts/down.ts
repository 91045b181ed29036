import { Command } from "commander";
import { stopPrivateEngine } from "../clusters/docker/engine.ts";
import { createProgress } from "../clusters/create-progress.ts";
import { type ExistingOptions, parseExistingOptions } from "../clusters/existing/options.ts";
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
const progress = createProgress();
try {
  await (await loadProvider(flags.provider, readExistingOptions())).down(flags.name, progress);
  if (flags.all === true) await stopPrivateEngine(progress);
} catch (error) {
  process.stderr.write(`down: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
}
process.exit(0);

function readExistingOptions(): ExistingOptions | undefined {
  if (flags.provider !== "existing") return undefined;
  const { kubeconfig, context } = flags;
  return parseExistingOptions({
    ...process.env,
    ...(kubeconfig === undefined ? {} : { INTERLAY_KUBECONFIG: kubeconfig }),
    ...(context === undefined ? {} : { INTERLAY_CONTEXT: context }),
  });
}
