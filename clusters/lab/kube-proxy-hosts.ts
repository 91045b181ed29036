import type { KubeProxyHosts } from "../kubernetes/switch-kube-proxy.ts";
import type { Cluster } from "../provider/provider.ts";
import { listFamilies } from "../spec/address-ranges.ts";

/** Returns the lab's nodes as hosts of kube-proxy. Every machine has the programs of all versions. */
export function createLabKubeProxyHosts(lab: Pick<Cluster, "nodes" | "exec" | "spec">): KubeProxyHosts {
  return {
    nodes: lab.nodes,
    families: listFamilies(lab.spec),
    settings: lab.spec.environment?.spec.kubeProxy,
    exec: (node, argv) => lab.exec(node, argv),
    runKubeProxy: (node, version, args) => lab.exec(node, [`/programs/kube-proxy-${version}`, ...args]),
  };
}
