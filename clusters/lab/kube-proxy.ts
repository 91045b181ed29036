import { switchKubeProxy as switchOn } from "../kubernetes/kube-proxy.ts";
import type { Kubectl } from "../kubernetes/kubectl.ts";
import type { Cluster, KubeProxy } from "../provider.ts";

/** As kind's: the DaemonSet is patched, the old version's program cleans up after itself. */
export function switchKubeProxy(lab: Pick<Cluster, "nodes" | "exec">, kubectl: Kubectl, to: KubeProxy): Promise<void> {
  const hosts = {
    nodes: lab.nodes,
    exec: (node: string, argv: readonly string[]) => lab.exec(node, argv),
    runKubeProxy: (node: string, version: string, args: readonly string[]) =>
      lab.exec(node, [`/programs/kube-proxy-${version}`, ...args]),
  };
  return switchOn(hosts, kubectl, to);
}
