import type { Cluster } from "../../clusters/provider/provider.ts";
import type { Deployment } from "../deployment/deploy.ts";
import { runOnNode, signalProcess } from "../support/agent-process.ts";
import type { ClusterApi } from "../support/cluster-api.ts";
import type { TraceFaultContext } from "./trace-fault.ts";

/** Returns what faults need of a cluster; the faulty node is the first worker. */
export function makeFaultContext(cluster: Cluster, api: ClusterApi, deployment: Deployment): TraceFaultContext {
  const [node = ""] = deployment.workers;
  const execOnNode = (argv: readonly string[], stdin?: string) =>
    runOnNode(cluster, node, argv, stdin === undefined ? {} : { stdin });
  const getAddress = (pod: string, nic: "main" | "net1" = "main") => deployment.getAddress(pod, nic);
  return {
    api,
    execOnNode,
    getAddress,
    runInPod: async (pod, argv, stdin) =>
      execOnNode(["ip", "netns", "exec", await findNetns(cluster, node, getAddress(pod)), ...argv], stdin),
    getServiceAddress: (service) =>
      deployment.locate({ to: { kind: "service", service }, protocol: "tcp", port: 0, family: "ipv4" }).address,
    getNodeAddress: (worker) => {
      const address = cluster.nodes.find(({ name }) => name === deployment.workers[worker])?.address;
      if (address === undefined) throw new Error(`the cluster has no worker ${worker + 1}`);
      return address;
    },
    findLink: async (pod, nic = "main") => {
      const route = await execOnNode(["ip", "route", "get", getAddress(pod, nic)]);
      const link = / dev (\S+)/.exec(route)?.[1];
      if (link === undefined) throw new Error(`no link in "${route}"`);
      return link;
    },
    signalFelix: (signal) => signalProcess(cluster, node, "calico-node -felix", signal),
    forgetNeighbours: async () => {
      await Promise.all(cluster.nodes.map(({ name }) => flushNeighbours(cluster, name)));
    },
  };
}

/** Returns the name of the namespace that has the address. */
async function findNetns(cluster: Cluster, node: string, address: string): Promise<string> {
  for (const netns of await listNetns(cluster, node)) {
    const { stdout } = await cluster.exec(node, ["ip", "-n", netns, "-o", "address", "show", "to", address]);
    if (stdout.trim() !== "") return netns;
  }
  throw new Error(`no network namespace of ${node} has the address ${address}`);
}

async function listNetns(cluster: Cluster, node: string): Promise<readonly string[]> {
  const output = await runOnNode(cluster, node, ["ip", "netns", "list"]);
  return output.split("\n").flatMap((line) => line.split(" ")[0] || []);
}

/** Removes learned entries; permanent ones stay. */
async function flushNeighbours(cluster: Cluster, node: string): Promise<void> {
  const flush = ["neighbour", "flush", "all"];
  await cluster.exec(node, ["ip", ...flush]);
  for (const netns of await listNetns(cluster, node)) await cluster.exec(node, ["ip", "-n", netns, ...flush]);
}
