import type { ClusterView } from "./cluster-view.ts";
import type { UiSource } from "./ui-server.ts";

/** A view of a cluster with a node that is not ready and a pod of each type. */
const VIEW: ClusterView = {
  status: {
    ready: false,
    problems: ["worker: its agent is not ready."],
    server: "v1.29.15",
    nodes: [
      {
        name: "worker",
        ready: false,
        version: "0.1.0",
        returnPath: "notrack",
        kubeProxy: "v1.29.15 iptables",
        attachments: 2,
        conditions: [{ type: "GateOpen", status: "False", reason: "Closed", message: "a <rule> drops" }],
      },
    ],
    pools: [{ name: "underlay", subnet: "10.7.0.0/16", total: 241, used: 2, free: 239 }],
  },
  pods: [
    { name: "default/overlay", node: "worker", type: "overlay", nics: ["eth0 10.233.64.9"] },
    { name: "default/underlay", node: "worker", type: "underlay", nics: ["eth0 10.7.200.1"] },
    { name: "default/multi-nic", node: "worker", type: "multi-nic", nics: ["eth0 10.233.64.10", "net1 10.7.200.2"] },
  ],
};

/** A source whose traces name what was asked. */
export const SOURCE: UiSource = {
  readView: () => Promise.resolve(VIEW),
  tracePods: (from, to, port) => Promise.resolve(`tcp from ${from} to ${to}:${port} passes`),
};
