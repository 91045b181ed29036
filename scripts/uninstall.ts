import { KubeConfig } from "@kubernetes/client-node";
import { Command } from "commander";
import { uninstallInterlay } from "../clusters/kubernetes/uninstall.ts";
import { describeApiError } from "../plugin/kubernetes/api-error.ts";

/** `npm run uninstall`: the agents end, every node is left as it was, then Interlay's objects and kinds go. */
const flags = new Command("uninstall")
  .description("take Interlay off a cluster: nodes first, then its objects and their kinds")
  .option("--kubeconfig <file>", "of the cluster; else the usual one")
  .option("--image <reference>", "Interlay's, where its DaemonSet is gone already: after helm uninstall")
  .option("--force", "also while pods have links of Interlay's: they lose the way through their node")
  .option("--timeout <seconds>", "for all nodes", "120")
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
