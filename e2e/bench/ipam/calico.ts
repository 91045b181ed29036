import type { Cluster } from "../../../clusters/provider/provider.ts";
import type { Measurement } from "../measurement/measurement.ts";
import { describeCalls, measureRate } from "./measure-add.ts";
import type { IpamCalls } from "./ipam-calls.ts";

const NODES = 10;

/** Measures calico-ipam with the same API server: for one node, then for ten nodes in turn. */
export async function measureCalico(cluster: Cluster, calls: IpamCalls): Promise<readonly Measurement[]> {
  const worker = cluster.nodes.find(({ role }) => role === "worker")?.name ?? "";
  const add = (node: string, index: number) =>
    calls.call("calico-ipam", "ADD", `calico-${node}-${index}`, {
      log_level: "error",
      datastore_type: "kubernetes",
      nodename: node,
      ipam: { type: "calico-ipam", assign_ipv4: "true" },
      policy: { type: "k8s" },
      kubernetes: { kubeconfig: "/etc/cni/net.d/calico-kubeconfig" },
      ipam_lock_file: `/run/calico-ipam-${node}.lock`,
    });
  const one = await measureRate((index) => add(worker, index));
  const ten = await measureRate((index) => add(`bench-${(index % NODES) + 1}`, index));
  return [
    { name: "calico-ipam's ADD, 1 node", value: one, unit: "/s", basis: describeCalls("one node") },
    {
      name: "calico-ipam's ADD, 10 nodes at once",
      value: ten,
      unit: "/s",
      basis: describeCalls("one node, with the names of ten in turn"),
    },
  ];
}
