import type { Cluster } from "../provider/provider.ts";
import type { ExternalTarget } from "../spec/external-target.ts";
import type { NodePods } from "./node-pods.ts";

/** Port of the suite's host-network pods: below NodePorts and ephemeral ports, and not registered by IANA. */
const HOST_PORT = 28_080;

/** Properties of an existing cluster that come from its inventory and the user's options. */
type ExistingParts = Required<
  Pick<
    Cluster,
    | "spec"
    | "kubeconfig"
    | "nodes"
    | "probeImage"
    | "versions"
    | "network"
    | "datapath"
    | "namespace"
    | "podSettings"
    | "leftOutNodes"
  >
> & {
  readonly externalTarget: ExternalTarget | undefined;
  /** Pods in the nodes' networks; or the reason, as a string, why the run has none. */
  readonly nodePods: NodePods | string;
};

/**
 * Returns an existing cluster, which is used only through its API server. `exec` runs programs in a node's network namespace, with
 * the files of a pod.
 */
export function createExistingCluster({ externalTarget, nodePods, ...parts }: ExistingParts): Cluster {
  return {
    provider: "existing",
    ...parts,
    ...(externalTarget === undefined ? {} : { externalTarget }),
    hostPort: HOST_PORT,
    nodeAccess: typeof nodePods === "string" ? "none" : "network",
    exec: (node, argv, { stdin } = {}) => {
      if (typeof nodePods === "string") throw new Error(`cannot run programs on node ${node}: ${nodePods}`);
      if (stdin !== undefined)
        throw new Error(`cannot run a program with stdin on node ${node} of an existing cluster`);
      return nodePods.exec(node, argv);
    },
    switchKubeProxy: ({ version }) =>
      Promise.reject(
        new Error(
          `cannot switch kube-proxy to ${version}: the suite does not change kube-proxy of an existing cluster`,
        ),
      ),
    external: () => Promise.resolve(undefined),
  };
}
