import type { Cluster } from "../../clusters/provider/provider.ts";
import type { ClusterApi } from "../support/cluster-api.ts";

/** Requirements of a fault on its cluster. */
export interface FaultContext {
  readonly cluster: Cluster;
  readonly api: ClusterApi;
  /** Runs a program on the faulty worker. @throws an error with its stderr if it fails */
  readonly execOnNode: (argv: readonly string[]) => Promise<string>;
  /** Address of a pod of the first worker. */
  readonly getAddress: (pod: string, nic: "main" | "net1") => string;
  /** Stops the worker's agent, which would repair the fault. */
  readonly pauseAgent: () => Promise<void>;
  readonly resumeAgent: () => Promise<void>;
}

/** A pod that is created during the fault, on the faulty node unless `elsewhere` is set. */
export interface FaultPod {
  readonly annotations: Readonly<Record<string, string>>;
  /**
   * `waits`: it does not start, with a warning, and starts after the fault. `overlay`: it only gets the overlay. `probed`: it runs,
   * and is probed by the other pods.
   */
  readonly state: "waits" | "overlay" | "probed";
  /** Matches the warning of a pod that waits. */
  readonly warning?: RegExp;
  readonly elsewhere?: true;
}

/** A fault that is made in the cluster, and the check by which the doctor must report it. */
export interface Fault {
  readonly title: string;
  readonly check: string;
  /** Undefined: cells are predicted to fail. `start`: new pods are affected. */
  readonly severity?: "start";
  readonly pod?: FaultPod;
  /** UnderlayNetworks that `make` and `undo` create. */
  readonly networks?: readonly string[];
  /** The external host must be privileged, as in a lab. */
  readonly labOnly?: true;
  make(context: FaultContext): Promise<void>;
  undo(context: FaultContext): Promise<void>;
}
