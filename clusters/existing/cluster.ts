import type { Cluster, ClusterNode, ClusterSpec, ExecResult, KubeProxy } from "../provider.ts";
import type { NodePods } from "./node-pods.ts";

/** Port of the suite's pods in the node's network: below NodePorts and ephemeral ports, and not registered by IANA. */
const HOST_PORT = 28_080;

export interface ExistingParts {
  readonly spec: ClusterSpec;
  readonly kubeconfig: string;
  readonly nodes: readonly ClusterNode[];
  readonly probeImage: string;
  readonly versions: Readonly<Record<string, string>>;
  readonly network: string;
  readonly datapath: "interlay" | "none";
  /** Namespace of the suite's pods. */
  readonly namespace: string;
  /** A sentence says why there are none. */
  readonly nodePods: NodePods | string;
}

/** A cluster that was there before and stays: reached by its API server alone. */
export class ExistingCluster implements Cluster {
  readonly provider = "existing";
  readonly spec: ClusterSpec;
  readonly kubeconfig: string;
  readonly nodes: readonly ClusterNode[];
  readonly probeImage: string;
  readonly versions: Readonly<Record<string, string>>;
  readonly network: string;
  readonly datapath: "interlay" | "none";
  readonly namespace: string;
  readonly hostPort = HOST_PORT;
  readonly nodeAccess: "network" | "none";
  readonly #nodePods: NodePods | string;

  constructor({
    spec,
    kubeconfig,
    nodes,
    probeImage,
    versions,
    network,
    datapath,
    namespace,
    nodePods,
  }: ExistingParts) {
    this.spec = spec;
    this.kubeconfig = kubeconfig;
    this.nodes = nodes;
    this.probeImage = probeImage;
    this.versions = versions;
    this.network = network;
    this.datapath = datapath;
    this.namespace = namespace;
    this.nodeAccess = typeof nodePods === "string" ? "none" : "network";
    this.#nodePods = nodePods;
  }

  /** In the node's network, with the files of a pod there. */
  exec(node: string, argv: readonly string[], options: { readonly stdin?: string } = {}): Promise<ExecResult> {
    if (typeof this.#nodePods === "string") throw new Error(`${node} cannot be looked at: ${this.#nodePods}.`);
    if (options.stdin !== undefined)
      throw new Error(`${node}: programs with input are not run there by the API server.`);
    return this.#nodePods.exec(node, argv);
  }

  switchKubeProxy({ version }: KubeProxy): Promise<void> {
    return Promise.reject(new Error(`kube-proxy of an existing cluster is not changed: cannot switch to ${version}.`));
  }

  external(): Promise<undefined> {
    return Promise.resolve(undefined);
  }
}
