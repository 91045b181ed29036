import type { Environment } from "./environments/environment.ts";
import type { KubeProxy } from "./kube-proxy.ts";
import type { Image } from "./images/archive.ts";
import type { Progress } from "./progress.ts";
import type { ProviderName } from "./provider-name.ts";

export type { KubeProxy, KubeProxyMode } from "./kube-proxy.ts";

/** The one interface behind which a cluster comes from: kind, lab or existing. */
export interface Provider {
  readonly name: ProviderName;
  /** What is missing on this machine, each with its remedy in one line. Changes nothing. */
  preflight(spec: ClusterSpec): Promise<readonly PreflightFinding[]>;
  /** Brings the cluster up, or finishes one that was begun. Idempotent. */
  up(spec: ClusterSpec, progress: Progress): Promise<Cluster>;
  /**
   * The cluster of that name that `up` has made, as it is: whatever is wrong with it stays. Absent where `up` makes none.
   * @param probe path of the probe program's executable
   * Errors: it is not there, or was not finished.
   */
  find?(name: string, probe: string, progress: Progress): Promise<Cluster>;
  /** Takes the cluster down; nothing of it is left. Idempotent, also for a cluster that was never there. */
  down(name: string, progress: Progress): Promise<void>;
}

export interface PreflightFinding {
  /** `error` stops the run, `warning` is printed and the run goes on. */
  readonly severity: "error" | "warning";
  /** One sentence: what is missing and how to get it. */
  readonly message: string;
}

export interface ClusterSpec {
  readonly name: string;
  /** How many worker nodes; the control plane comes on top. */
  readonly workers: number;
  readonly kubernetes: string;
  readonly kubeProxy: KubeProxy;
  /** Every kube-proxy that the run will switch to, so that its image can be loaded beforehand. */
  readonly kubeProxies: readonly KubeProxy[];
  readonly overlayCidr: string;
  readonly serviceCidr: string;
  /** The nodes' own network, which is the underlay. */
  readonly underlayCidr: string;
  /** The part of the underlay that Docker hands out to nodes. */
  readonly nodeRange: string;
  /** The part of the underlay that underlay pods get their addresses from. */
  readonly podRange: string;
  /** A dual-stack cluster's IPv6 side; undefined: IPv4 alone. IPv4 comes first everywhere. */
  readonly ipv6?: Ipv6Ranges;
  /** Nobody asked for this underlay by name: where it is in use, another one is taken and told. */
  readonly underlayMayMove: boolean;
  /** What differs from the suite's own cluster; undefined: nothing. */
  readonly environment?: Environment;
  /** Path of the probe program's executable, which is put into the image that `Cluster.probeImage` names. */
  readonly probe: string;
}

/** What an IPv4 range is in `ClusterSpec`, each of them has a counterpart in a dual-stack cluster. */
export interface Ipv6Ranges {
  readonly overlayCidr: string;
  readonly serviceCidr: string;
  readonly underlayCidr: string;
  readonly podRange: string;
}

export interface ClusterNode {
  readonly name: string;
  readonly role: "control-plane" | "worker";
  /** Kubernetes' InternalIP. */
  readonly address: string;
  /** The IPv6 one of a dual-stack cluster. */
  readonly address6?: string;
}

export interface ExecResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Cluster {
  readonly provider: Provider["name"];
  readonly spec: ClusterSpec;
  /** Path of a kubeconfig with admin rights. */
  readonly kubeconfig: string;
  readonly nodes: readonly ClusterNode[];
  /** Image reference under which the probe program is present on every node. */
  readonly probeImage: string;
  /** Component versions for the report: kubernetes, calico, multus, kernel, … */
  readonly versions: Readonly<Record<string, string>>;
  /** Runs argv in the node's own network and mount namespaces. Never a shell string. Does not throw on exit codes ≠ 0. */
  exec(node: string, argv: readonly string[], options?: { readonly stdin?: string }): Promise<ExecResult>;
  /** How far `exec` gets where that is not everything: the node's network from a pod there, or not at all. */
  readonly nodeAccess?: "network" | "none";
  /** `NAMESPACE/NAME` of the NetworkAttachmentDefinition of underlay links, where it is not Interlay's own. */
  readonly network?: string;
  /** Namespace of the suite's pods, where it is not the default. */
  readonly namespace?: string;
  /** Port of the suite's pods in the nodes' network, where the default may be in use. */
  readonly hostPort?: number;
  /** `none`: another solution than Interlay wires the pods, and nothing of Interlay's is asserted. */
  readonly datapath?: "interlay" | "none";
  /** Into pods past the API server, where there is no kubelet to ask. */
  readonly pods?: PodAccess;
  /** Of a provider that can break nodes and make them again. */
  readonly faults?: NodeFaults;
  /** Imports images into every node; absent where the provider cannot. */
  importImages?(images: readonly Image[]): Promise<void>;
  /** Drops what nodes and pods send to networks other than the cluster's, until the cluster is deleted; absent as above. */
  blockEgress?(): Promise<void>;
  /** Switches kube-proxy on every node: the old rules are cleaned up by the binary that made them. Also restarts it when the version stays the same. */
  switchKubeProxy(to: KubeProxy): Promise<void>;
  /**
   * A host on the underlay that is not part of the cluster: the world outside. Started on first use, gone with the cluster.
   * Undefined where nobody can be put there.
   */
  external(): Promise<ExternalHost | undefined>;
}

/** What a node can be made to suffer. */
export interface NodeFaults {
  /** As by a power cut: everything on the node ends at once, no plugin is called, its files are lost. */
  powerOff(node: string): Promise<void>;
  /** The dropped node, new, under its name and address. */
  recreate(node: string): Promise<void>;
  /** Its kubelet is not there for so long, in milliseconds; what runs goes on, and it starts again with that. */
  pauseKubelet(node: string, milliseconds: number): Promise<void>;
}

/** Programs in a pod's container. */
export interface PodAccess {
  exec(namespace: string, pod: string, argv: readonly string[]): Promise<ExecResult>;
  attach(namespace: string, pod: string, argv: readonly string[]): Promise<ProgramStream>;
}

export interface ExternalHost {
  readonly address: string;
  readonly address6?: string;
  /** Starts a program in the host, with its stdin and stdout as a stream (the probe's control channel). */
  attach(argv: readonly string[]): Promise<ProgramStream>;
  exec(argv: readonly string[]): Promise<ExecResult>;
}

/** A running program that reads and writes lines. */
export interface ProgramStream {
  write(line: string): void;
  onLine(listener: (line: string) => void): void;
  close(): Promise<void>;
}

/** Label on what a run makes in a cluster that is not its own, and so may take away. */
export const OWNER_LABEL = "interlay.dev/made-by";

/** The seed's figures. */
export const DEFAULT_SPEC: Omit<ClusterSpec, "probe"> = {
  name: "interlay",
  workers: 2,
  kubernetes: "v1.29.15",
  kubeProxy: { version: "v1.29.15", mode: "iptables" },
  kubeProxies: [],
  overlayCidr: "10.233.64.0/18",
  serviceCidr: "10.233.0.0/18",
  underlayCidr: "10.7.0.0/16",
  nodeRange: "10.7.168.64/26",
  podRange: "10.7.200.0/24",
  underlayMayMove: true,
};
