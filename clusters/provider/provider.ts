import type { ClusterSpec } from "../spec/cluster-spec.ts";
import type { ExternalTarget } from "../spec/external-target.ts";
import type { PodSettings } from "../spec/pod-settings.ts";
import type { CommandResult } from "../components/run-command.ts";
import type { KubeProxy } from "../spec/kube-proxy.ts";
import type { Image } from "../images/archive.ts";
import type { Progress } from "../progress/progress.ts";
import type { ProviderName } from "../spec/provider-name.ts";

/** A source of clusters. Implementations are in kind, lab and existing. */
export interface Provider {
  readonly name: ProviderName;
  /** Returns what is missing for a cluster, each with its remedy in one line. Changes nothing. */
  preflight(spec: ClusterSpec): Promise<readonly PreflightFinding[]>;
  /** Creates the cluster, or finishes one that was begun. Idempotent. */
  up(spec: ClusterSpec, progress: Progress): Promise<Cluster>;
  /**
   * Returns a cluster that `up` has created, in its present state. Absent if `up` creates none.
   *
   * @param probe path of the probe program's executable
   * @throws if the cluster does not exist or was not finished
   */
  find?(name: string, probe: string, progress: Progress): Promise<Cluster>;
  /** Deletes the cluster with everything that belongs to it. Does nothing for a cluster that does not exist. */
  down(name: string, progress: Progress): Promise<void>;
}

/** A problem that the preflight has found. */
export interface PreflightFinding {
  /** An error stops the run; a warning is printed. */
  readonly severity: "error" | "warning";
  /** One sentence: what is missing and how to get it. */
  readonly message: string;
}

/** A node of a cluster. */
export interface ClusterNode {
  readonly name: string;
  readonly role: "control-plane" | "worker";
  /** InternalIP. */
  readonly address: string;
  /** IPv6 InternalIP in a dual-stack cluster. */
  readonly address6?: string;
}

/** The result of a program in a node or pod. */
export type ExecResult = CommandResult;

/** A running cluster. */
export interface Cluster {
  readonly provider: Provider["name"];
  readonly spec: ClusterSpec;
  /** Path of a kubeconfig with admin rights. */
  readonly kubeconfig: string;
  readonly nodes: readonly ClusterNode[];
  /** Image of the probe program, present on every node. */
  readonly probeImage: string;
  /** Versions of components for the report: kubernetes, calico, multus, kernel, … */
  readonly versions: Readonly<Record<string, string>>;
  /** Runs a program, without a shell, in the node's network and mount namespaces. Does not throw for any exit code. */
  exec(node: string, argv: readonly string[], options?: { readonly stdin?: string }): Promise<ExecResult>;
  /** Limit of `exec`: only the node's network, or no access. Undefined: no limit. */
  readonly nodeAccess?: "network" | "none";
  /** NetworkAttachmentDefinition of underlay links, as `NAMESPACE/NAME`; undefined: Interlay's. */
  readonly network?: string;
  /** Namespace of the suite's pods; undefined: the default. */
  readonly namespace?: string;
  /** Port of the suite's pods in the nodes' network; undefined: the default. */
  readonly hostPort?: number;
  /** Requirements of the cluster on the suite's pods; undefined if it has none. */
  readonly podSettings?: PodSettings;
  /** A target outside of the cluster that the user names; undefined: none. */
  readonly externalTarget?: ExternalTarget;
  /** Nodes that the run leaves out, one sentence for each reason; undefined: the run uses every node. */
  readonly leftOutNodes?: readonly string[];
  /** `none`: another solution connects the pods, and the suite checks nothing of Interlay's. */
  readonly datapath?: "interlay" | "none";
  /** Access to pods without the API server, for providers whose nodes have no real kubelet. */
  readonly pods?: PodAccess;
  /** Faults of nodes; undefined: the provider cannot cause any. */
  readonly faults?: NodeFaults;
  /** Imports images into every node; undefined: the provider cannot. */
  importImages?(images: readonly Image[]): Promise<void>;
  /** Drops packets to networks outside of the cluster, until the cluster is deleted; undefined: the provider cannot. */
  blockEgress?(): Promise<void>;
  /** Replaces kube-proxy on every node, even by the same version: the old program removes its rules, then the new one starts. */
  switchKubeProxy(to: KubeProxy): Promise<void>;
  /**
   * Returns a host on the underlay that is not part of the cluster. It is started by the first call, and ends with the
   * cluster. Undefined: the provider cannot start one.
   */
  external(): Promise<ExternalHost | undefined>;
  /** Starts a host in a network that a router connects to the underlay; undefined: the provider cannot. */
  startRoutedClient?(): Promise<RoutedClient>;
}

/** Faults of a node that a provider can cause. */
export interface NodeFaults {
  /** Ends every program of the node at once, as a power failure does. No plugin is called, and its files are lost. */
  powerOff(node: string): Promise<void>;
  /** Creates a node that was powered off again, with its name and address. */
  recreate(node: string): Promise<void>;
  /** Stops the node's kubelet for a time. Containers run on, and the kubelet continues with them. */
  pauseKubelet(node: string, milliseconds: number): Promise<void>;
}

/** Runs programs in the first container of a pod. */
export interface PodAccess {
  exec(namespace: string, pod: string, argv: readonly string[]): Promise<ExecResult>;
  attach(namespace: string, pod: string, argv: readonly string[]): Promise<ProgramStream>;
}

/** A host on the underlay that is not part of the cluster. */
export interface ExternalHost {
  readonly address: string;
  readonly address6?: string;
  /** Starts a program with its stdin and stdout as a stream (the probe's control channel). */
  attach(argv: readonly string[]): Promise<ProgramStream>;
  exec(argv: readonly string[]): Promise<ExecResult>;
}

/** A host in a network that a router connects to the underlay. */
export interface RoutedClient extends ExternalHost {
  /** Removes the host and its network. */
  stop(): Promise<void>;
}

/** A running program that reads and writes lines. */
export interface ProgramStream {
  write(line: string): void;
  onLine(listener: (line: string) => void): void;
  close(): Promise<void>;
}

/** Label of the objects that a run creates in an existing cluster, and may delete. */
export const OWNER_LABEL = "interlay.dev/made-by";
