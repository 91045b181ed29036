import Table from "cli-table3";
import { readInventory } from "../../clusters/existing/inventory.ts";
import { SUITE_NAMESPACE } from "../../clusters/existing/existing.ts";
import { checkPreconditions } from "../../clusters/existing/preflight.ts";
import { parseExistingOptions, loadKubeConfig } from "../../clusters/existing/options.ts";
import type { Cluster } from "../../clusters/provider.ts";

/** Below NodePorts and the kernel's own choice of ports, and nobody's by custom. */
const GUEST_HOST_PORT = 28080;

interface Asked {
  readonly yes: boolean;
  readonly suite: string;
  readonly kubeProxy: string | undefined;
  readonly returnPath: string | undefined;
}

/**
 * `npm run e2e -- --provider existing`: what the cluster has, as a table, with a sentence for each problem. Returns what to
 * end with where nothing is to be run; else the run's environment is set to what the cluster is.
 */
export async function lookAtExisting(asked: Asked, say: (text: string) => void): Promise<number | undefined> {
  if (asked.suite !== "matrix") throw new Error("--provider existing runs --suite matrix: the others break things.");
  if (asked.kubeProxy !== undefined)
    throw new Error("--kube-proxy: a cluster that is there keeps the kube-proxy that it has.");
  const options = parseExistingOptions();
  const facts = await readInventory(loadKubeConfig(options));
  const rows = checkPreconditions(facts, options);
  const mark = { error: "✗", warning: "!" } as const;
  const table = new Table({ head: ["", "what", "found"], style: { head: [], border: [] } });
  for (const { what, found, problem } of rows) table.push([problem ? mark[problem.severity] : "✓", what, found]);
  say(table.toString());
  const problems = rows.flatMap(({ problem }) => problem ?? []);
  for (const { severity, message } of problems) say(`${severity}: ${message}`);
  const { kubeProxy } = facts;
  if (problems.some(({ severity }) => severity === "error") || kubeProxy === undefined) {
    say("Nothing was changed.");
    return 2;
  }
  const is = options.datapath === "none" ? asked.returnPath : (facts.interlay?.returnPath ?? "notrack");
  if (asked.returnPath !== undefined && asked.returnPath !== is)
    throw new Error(
      `--return-path ${asked.returnPath}: Interlay there has ${is ?? "none"}, and a run does not change it for the cluster's pods.`,
    );
  if (!asked.yes) {
    say("Nothing was changed: this is the preflight alone. Add --yes to run the suite there.");
    return 0;
  }
  process.env["INTERLAY_KUBE_PROXY"] = `${kubeProxy.version}/${kubeProxy.mode}`;
  process.env["INTERLAY_NAMESPACE"] = SUITE_NAMESPACE;
  process.env["INTERLAY_HOST_PORT"] = String(GUEST_HOST_PORT);
  if (is !== undefined) process.env["INTERLAY_RETURN_PATH"] = is;
  return undefined;
}

/**
 * The return path of a solution that nobody has named one for: `liberal` where every node's sysctl is 1, else `none`. What the
 * gate expects follows from it; a solution that claims more is told so by --return-path notrack.
 */
export async function returnPathThere(cluster: Cluster): Promise<"liberal" | "none"> {
  if (cluster.nodeAccess === "none")
    throw new Error("The nodes' sysctl cannot be read: name what the solution does with --return-path.");
  const sysctls = await Promise.all(
    cluster.nodes.map(({ name }) => cluster.exec(name, ["cat", "/proc/sys/net/netfilter/nf_conntrack_tcp_be_liberal"])),
  );
  return sysctls.every(({ stdout }) => stdout.trim() === "1") ? "liberal" : "none";
}
