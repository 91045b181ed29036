import { Command, Option } from "commander";
import { stopPrivateEngine } from "../../../clusters/docker/engine.ts";
import { createProgress } from "../../../clusters/progress/create-progress.ts";
import { type ExistingOptions, parseExistingOptions } from "../../../clusters/existing/existing-options.ts";
import { PROVIDER_NAMES } from "../../../clusters/spec/provider-name.ts";
import { loadProvider } from "../../../clusters/providers.ts";
import { DEFAULT_SPEC } from "../../../clusters/spec/cluster-spec.ts";
import { addClusterOptions, type ClusterFlags } from "../program/common-options.ts";

interface DownFlags extends ClusterFlags {
  readonly provider: string;
  readonly name: string;
  readonly namespace?: string;
  readonly all?: true;
}

/** `interlay cluster down`: deletes a cluster; built components stay in the cache. */
export function createDownCommand(): Command {
  const command = new Command("down")
    .description("delete a cluster; of an existing one, only what a run of the suite created")
    .addOption(new Option("--provider <name>", "provider of the cluster").choices(PROVIDER_NAMES).default("kind"))
    .option("--name <name>", "cluster name", DEFAULT_SPEC.name)
    .option("--namespace <name>", "with --provider existing: namespace of the suite's pods, if it was named")
    .option("--all", "also stop the private Docker daemon with all its clusters")
    .addHelpText("after", "\nExample:\n  interlay cluster down --provider lab --name play");
  return addClusterOptions(command).action(runDown);
}

async function runDown(flags: DownFlags): Promise<void> {
  const progress = createProgress();
  await (await loadProvider(flags.provider, readExistingOptions(flags))).down(flags.name, progress);
  if (flags.all === true) await stopPrivateEngine(progress);
}

function readExistingOptions({ provider, kubeconfig, context, namespace }: DownFlags): ExistingOptions | undefined {
  if (provider !== "existing") return undefined;
  return parseExistingOptions({
    ...process.env,
    ...(kubeconfig === undefined ? {} : { INTERLAY_KUBECONFIG: kubeconfig }),
    ...(context === undefined ? {} : { INTERLAY_CONTEXT: context }),
    ...(namespace === undefined ? {} : { INTERLAY_NAMESPACE: namespace }),
  });
}
