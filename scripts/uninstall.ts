import { KubeConfig } from "@kubernetes/client-node";
import { Command } from "commander";
import { uninstallInterlay } from "../clusters/kubernetes/uninstall.ts";
import { describeApiError } from "../plugin/kubernetes/api-error.ts";

/** `npm run uninstall`: restores every node, then deletes Interlay's objects and their kinds. */
const flags = new Command("uninstall")
  .description("remove Interlay from a cluster: first from the nodes, then its objects and their kinds")
  .option("--kubeconfig <file>", "kubeconfig of the cluster (default: $KUBECONFIG or ~/.kube/config)")
  .option("--image <reference>", "image of Interlay, if its DaemonSet does not exist any more, as after helm uninstall")
  .option("--force", "also while pods use links of Interlay; they lose the path through their node")
  .option("--timeout <seconds>", "time limit for all nodes", "120")
  .parse()
  .opts<{ kubeconfig?: string; image?: string; force?: true; timeout: string }>();

const config = new KubeConfig();
const log = (line: string): void => {
  process.stdout.write(`${line}\n`);
};
try {
  if (flags.kubeconfig === undefined) config.loadFromDefault();
  else config.loadFromFile(flags.kubeconfig);
  const { image, force = false, timeout } = flags;
  await uninstallInterlay(config, { timeoutMs: 1000 * Number(timeout), image, force, log });
  log("Interlay's kinds, roles and namespace are deleted.");
} catch (error) {
  process.stderr.write(`uninstall: ${describeApiError(error, config.getCurrentCluster()?.server).message}\n`);
  process.exitCode = 1;
}
