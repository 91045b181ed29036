import Table from "cli-table3";
import { chooseNodes } from "../../clusters/existing/choose-nodes.ts";
import { DEFAULT_RETURN_PATH, listReturnPaths } from "../../clusters/existing/list-return-paths.ts";
import { type ClusterInventory, readInventory } from "../../clusters/existing/inventory/inventory.ts";
import { checkPreconditions } from "../../clusters/existing/existing-preflight.ts";
import type { ExistingOptions } from "../../clusters/existing/existing-options.ts";
import { loadKubeConfig } from "../../clusters/kubernetes/load-kube-config.ts";
import type { Cluster } from "../../clusters/provider/provider.ts";
import type { KubeProxy } from "../../clusters/spec/kube-proxy.ts";
import { describeApiError } from "../../plugin/kubernetes/api-error.ts";

/** Options of the command that concern an existing cluster. */
interface RequestedRun {
  readonly yes: boolean;
  readonly suite: string;
  readonly kubeProxy: string | undefined;
  readonly returnPath: string | undefined;
}

/** Result of the preflight: an exit status, or the variant that the cluster has. */
type ExistingCheck =
  | { readonly exitCode: number }
  | {
      readonly exitCode: undefined;
      /** Version and mode in the syntax of --kube-proxy. */
      readonly kubeProxy: string;
      /** Undefined if it must be read from the nodes when the suite can reach them. */
      readonly returnPath: string | undefined;
    };

/**
 * Prints the preconditions of an existing cluster as a table, with a sentence for each problem.
 * @throws if an option does not apply to an existing cluster
 */
export async function checkExistingCluster(
  options: ExistingOptions,
  requested: RequestedRun,
  print: (text: string) => void,
): Promise<ExistingCheck> {
  if (requested.suite !== "matrix")
    throw new Error("--provider existing runs only --suite matrix: the other suites cause faults.");
  const config = loadKubeConfig(options);
  const inventory = await readInventory(config, options.nodeSelector).catch((error: unknown) => {
    throw describeApiError(error, config.getCurrentCluster()?.server);
  });
  const rows = checkPreconditions(inventory, options);
  const marks = { error: "✗", warning: "!" } as const;
  const table = new Table({ head: ["", "property", "found"], style: { head: [], border: [] } });
  for (const { property, found, problem } of rows)
    table.push([problem ? marks[problem.severity] : "✓", property, found]);
  print(table.toString());
  const problems = rows.flatMap(({ problem }) => problem ?? []);
  for (const { severity, message } of problems) print(`${severity}: ${message}`);
  const detected = inventory.kubeProxy.kubeProxy;
  if (problems.some(({ severity }) => severity === "error") || detected === undefined) {
    print("Nothing was changed.");
    return { exitCode: 2 };
  }
  const kubeProxy = chooseKubeProxy(detected, requested.kubeProxy);
  const returnPath = options.datapath === "none" ? requested.returnPath : findReturnPath(inventory, options);
  if (requested.returnPath !== undefined && requested.returnPath !== returnPath)
    throw new Error(
      `--return-path ${requested.returnPath}: Interlay in this cluster uses ${returnPath ?? "none"}, and a run does not change it`,
    );
  if (!requested.yes) {
    print("Nothing was changed: this was only the preflight. Add --yes to run the suite there.");
    return { exitCode: 0 };
  }
  return { exitCode: undefined, kubeProxy, returnPath };
}

/** Returns kube-proxy in the syntax of --kube-proxy. @throws if the user names one although the cluster has one */
function chooseKubeProxy({ version, mode }: KubeProxy, requested: string | undefined): string {
  if (requested === undefined) return `${version}/${mode}`;
  if (mode !== "none")
    throw new Error(
      `--kube-proxy ${requested}: this cluster runs ${version} (${mode}), and a run does not change it; leave the option out.`,
    );
  return requested;
}

/** Returns the return path that the agents of the chosen nodes use, or that of the installation that the run creates. */
function findReturnPath(inventory: ClusterInventory, options: ExistingOptions): string {
  const { interlay } = inventory;
  const returnPaths = interlay === undefined ? [] : listReturnPaths(interlay, chooseNodes(inventory, options).chosen);
  return returnPaths[0] ?? DEFAULT_RETURN_PATH;
}

/**
 * Reads the return path of a cluster whose user named none: `liberal` if every node's sysctl is 1, else `none`. The expected
 * results follow from it; a user whose solution claims more names it with --return-path notrack.
 */
export async function readReturnPath(cluster: Cluster): Promise<"liberal" | "none"> {
  if (cluster.nodeAccess === "none")
    throw new Error("cannot read the sysctl of the nodes: name the return path of the solution by --return-path");
  const sysctls = await Promise.all(
    cluster.nodes.map(({ name }) => cluster.exec(name, ["cat", "/proc/sys/net/netfilter/nf_conntrack_tcp_be_liberal"])),
  );
  return sysctls.every(({ stdout }) => stdout.trim() === "1") ? "liberal" : "none";
}
