import type { Cluster, ClusterNode, ExecResult } from "../provider/provider.ts";
import type { ClusterSpec } from "../spec/cluster-spec.ts";
import type { KubeProxy } from "../spec/kube-proxy.ts";
import type { ExternalTarget } from "../spec/external-target.ts";
import type { PodSettings } from "../spec/pod-settings.ts";
import type { NodePods } from "./node-pods.ts";

/** Port of the suite's pods in the node's network: below NodePorts and ephemeral ports, and not registered by IANA. */
const HOST_PORT = 28_080;

type ExistingParts = Pick<
  ExistingCluster,
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
> & {
  readonly externalTarget: ExternalTarget | undefined;
  /** A string is the reason why there are none. */
  readonly nodePods: NodePods | string;
};

/** An existing cluster, used through its API server alone. */
export class ExistingCluster implements Cluster {
  readonly provider = "existing";
  readonly spec: ClusterSpec;
  readonly kubeconfig: string;
  readonly nodes: readonly ClusterNode[];
  readonly probeImage: string;
  readonly versions: Readonly<Record<string, string>>;
  readonly network: string;
  readonly datapath: "interlay" | "none";
  /** Namespace of the suite's pods. */
  readonly namespace: string;
  readonly podSettings: PodSettings;
  readonly leftOutNodes: readonly string[];
  readonly externalTarget?: ExternalTarget;
  readonly hostPort = HOST_PORT;
  readonly nodeAccess: "network" | "none";
  readonly #nodePods: NodePods | string;

  constructor(parts: ExistingParts) {
    this.spec = parts.spec;
    this.kubeconfig = parts.kubeconfig;
    this.nodes = parts.nodes;
    this.probeImage = parts.probeImage;
    this.versions = parts.versions;
    this.network = parts.network;
    this.datapath = parts.datapath;
    this.namespace = parts.namespace;
    this.podSettings = parts.podSettings;
    this.leftOutNodes = parts.leftOutNodes;
    if (parts.externalTarget !== undefined) this.externalTarget = parts.externalTarget;
    this.nodeAccess = typeof parts.nodePods === "string" ? "none" : "network";
    this.#nodePods = parts.nodePods;
  }

  /** Runs a program in the node's network, with the files of a pod. */
  exec(node: string, argv: readonly string[], options: { readonly stdin?: string } = {}): Promise<ExecResult> {
    if (typeof this.#nodePods === "string") throw new Error(`cannot run programs on node ${node}: ${this.#nodePods}`);
    if (options.stdin !== undefined)
      throw new Error(`cannot run a program with stdin on node ${node} of an existing cluster`);
    return this.#nodePods.exec(node, argv);
  }

  switchKubeProxy({ version }: KubeProxy): Promise<void> {
    return Promise.reject(
      new Error(`cannot switch kube-proxy to ${version}: the suite does not change kube-proxy of an existing cluster`),
    );
  }

  external(): Promise<undefined> {
    return Promise.resolve(undefined);
  }
}
