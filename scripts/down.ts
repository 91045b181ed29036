import { Command } from "commander";
import { stopPrivateEngine } from "../clusters/docker/engine.ts";
import { createProgress } from "../clusters/progress/create-progress.ts";
import { type ExistingOptions, parseExistingOptions } from "../clusters/existing/options.ts";
import { PROVIDER_NAMES } from "../clusters/spec/provider-name.ts";
import { loadProvider } from "../clusters/providers.ts";
import { DEFAULT_SPEC } from "../clusters/spec/cluster-spec.ts";
import { getErrorMessage } from "../plugin/errors/error-message.ts";

/** `npm run down`: deletes a cluster; built components stay in the cache. */
const program = new Command("down")
  .description("delete a cluster")
  .option("--provider <name>", `provider of the cluster: ${PROVIDER_NAMES.join(", ")}`, "kind")
  .option("--name <name>", "cluster name", DEFAULT_SPEC.name)
  .option("--kubeconfig <file>", "with --provider existing: kubeconfig of the cluster")
  .option("--context <name>", "with --provider existing: context of the kubeconfig (default: its current context)")
  .option("--all", "also stop the private Docker daemon with all its clusters")
  .parse();
const flags = program.opts<{ provider: string; name: string; kubeconfig?: string; context?: string; all?: true }>();
const progress = createProgress();
try {
  await (await loadProvider(flags.provider, readExistingOptions())).down(flags.name, progress);
  if (flags.all === true) await stopPrivateEngine(progress);
} catch (error) {
  process.stderr.write(`down: ${getErrorMessage(error)}\n`);
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
