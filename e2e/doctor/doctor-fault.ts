import type { Cluster } from "../../clusters/provider/provider.ts";
import type { ClusterApi } from "../support/cluster-api.ts";

/** Requirements of a fault on its cluster. */
export interface FaultContext {
  readonly cluster: Cluster;
  readonly api: ClusterApi;
  /** Runs a program on the faulty worker. @throws an error with its stderr if it fails */
  readonly execOnNode: (argv: readonly string[]) => Promise<string>;
  /** Returns the address of a pod. */
  readonly getAddress: (pod: string, nic: "main" | "net1") => string;
  /** Stops the worker's agent, which would repair the fault. */
  readonly pauseAgent: () => Promise<void>;
  readonly resumeAgent: () => Promise<void>;
}

/** A pod that is created during the fault, on the faulty node unless `elsewhere` is set. */
export interface FaultPod {
  readonly annotations: Readonly<Record<string, string>>;
  /**
   * `waits`: it starts only after the fault, and until then has a warning. `overlay`: it gets only the overlay network. `probed`: it
   * runs, and the other pods probe it.
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
  /** `start`: only new pods are affected; undefined: cells are predicted to fail. */
  readonly severity?: "start";
  readonly pod?: FaultPod;
  /** UnderlayNetworks that `make` and `undo` create. */
  readonly networks?: readonly string[];
  /** The fault needs a privileged external host, which only a lab has. */
  readonly labOnly?: true;
  make(context: FaultContext): Promise<void>;
  undo(context: FaultContext): Promise<void>;
}
