import { coerce, lt } from "semver";

/** Properties of a node that show its Kubernetes distribution. */
export interface NodeFacts {
  readonly name: string;
  /** `v1.31.4+k3s1` */
  readonly kubelet: string;
  /** `Talos (v1.9.0)` */
  readonly osImage: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** A Kubernetes distribution, and where its container runtime finds plugins and their configuration. */
export interface Distribution {
  readonly name: string;
  readonly cniBinDirectory: string;
  readonly cniConfDirectory: string;
}

const UPSTREAM = { cniBinDirectory: "/opt/cni/bin", cniConfDirectory: "/etc/cni/net.d" } as const;
/** Since the releases of October 2024 K3s has a fixed directory (https://docs.k3s.io/networking/multus-ipams). */
const FIRST_K3S_WITH_FIXED_DIRECTORY: Readonly<Record<number, string>> = {
  28: "1.28.15",
  29: "1.29.10",
  30: "1.30.6",
  31: "1.31.2",
};

/** Finds the distribution of a node by its kubelet's version, its operating system and its labels. */
export function detectDistribution({ kubelet, osImage, labels }: NodeFacts): Distribution {
  if (kubelet.includes("+k3s")) return describeK3s(kubelet);
  if (kubelet.includes("+rke2")) return { name: "RKE2", ...UPSTREAM };
  if (labels["microk8s.io/cluster"] !== undefined)
    return {
      name: "MicroK8s",
      cniBinDirectory: "/var/snap/microk8s/current/opt/cni/bin",
      cniConfDirectory: "/var/snap/microk8s/current/args/cni-network",
    };
  if (labels["node.openshift.io/os_id"] !== undefined)
    return { name: "OpenShift", cniBinDirectory: "/var/lib/cni/bin", cniConfDirectory: "/etc/kubernetes/cni/net.d" };
  if (/^Talos\b/.test(osImage)) return { name: "Talos", ...UPSTREAM };
  if (/^Bottlerocket\b/.test(osImage)) return { name: "Bottlerocket", ...UPSTREAM };
  return { name: "Kubernetes", ...UPSTREAM };
}

function describeK3s(kubelet: string): Distribution {
  const version = coerce(kubelet);
  const firstVersion = version === null ? undefined : FIRST_K3S_WITH_FIXED_DIRECTORY[version.minor];
  const isOld = version !== null && (version.minor < 28 || (firstVersion !== undefined && lt(version, firstVersion)));
  return {
    name: "K3s",
    cniBinDirectory: `/var/lib/rancher/k3s/data/${isOld ? "current/bin" : "cni"}`,
    cniConfDirectory: "/var/lib/rancher/k3s/agent/etc/cni/net.d",
  };
}

/**
 * Returns the distribution of all nodes.
 * @throws an error if nodes differ in the plugin directory, which one DaemonSet cannot serve
 */
export function detectClusterDistribution(nodes: readonly NodeFacts[]): Distribution {
  const distributions = nodes.map((node) => ({ node: node.name, ...detectDistribution(node) }));
  const [firstNode, ...otherNodes] = distributions;
  if (firstNode === undefined) throw new Error("cannot detect the distribution: the cluster has no node");
  const differentNode = otherNodes.find(({ cniBinDirectory }) => cniBinDirectory !== firstNode.cniBinDirectory);
  if (differentNode !== undefined)
    throw new Error(
      `nodes have different plugin directories: ${firstNode.node} (${firstNode.name}) ${firstNode.cniBinDirectory}, ${differentNode.node} (${differentNode.name}) ${differentNode.cniBinDirectory}. Install with the chart once for each, with a nodeSelector.`,
    );
  return {
    name: firstNode.name,
    cniBinDirectory: firstNode.cniBinDirectory,
    cniConfDirectory: firstNode.cniConfDirectory,
  };
}
