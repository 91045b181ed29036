import { Command } from "commander";
import { uninstallInterlay } from "../../../clusters/kubernetes/uninstall-interlay.ts";
import { askConfirmation } from "../../../plugin/ipam/inspect/release.ts";
import { addClusterOptions, addGlobalOptions, type ClusterFlags, loadCluster } from "../program/common-options.ts";

interface UninstallFlags extends ClusterFlags {
  readonly image?: string;
  readonly force?: true;
  readonly timeout: number;
  readonly yes?: true;
}

/** `interlay uninstall`: restores every node, then deletes Interlay's objects and their kinds. */
export function createUninstallCommand(): Command {
  const command = new Command("uninstall")
    .description("remove Interlay from a cluster: first from the nodes, then its objects and their kinds")
    .option(
      "--image <reference>",
      "image of Interlay, if its DaemonSet does not exist any more, as after helm uninstall",
    )
    .option("--force", "also while pods use links of Interlay; they lose the path through their node")
    .addHelpText("after", "\nExample:\n  interlay uninstall --context staging --yes");
  return addGlobalOptions(addClusterOptions(command), ["timeout", "yes"]).action(runUninstall);
}

async function runUninstall(flags: UninstallFlags): Promise<void> {
  const config = await loadCluster(flags);
  const log = (line: string): void => {
    process.stdout.write(`${line}\n`);
  };
  const { image, force = false, timeout } = flags;
  const isTerminal = process.stdin.isTTY && process.stdout.isTTY;
  const server = config.getCurrentCluster()?.server ?? "";
  const question = `Remove Interlay, its pools and its addresses from ${server} (context ${config.getCurrentContext()})?`;
  if (flags.yes !== true && isTerminal && !(await askConfirmation(question))) {
    process.stderr.write("nothing was changed: confirm, or add --yes\n");
    process.exitCode = 1;
    return;
  }
  await uninstallInterlay(config, { timeoutMs: 1000 * timeout, image, force, log });
  log("Interlay's kinds, roles and namespace are deleted.");
}
