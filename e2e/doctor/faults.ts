import type { Cluster } from "../../clusters/provider.ts";
import { configure } from "../matrix/variant.ts";

export interface FaultContext {
  readonly cluster: Cluster;
  /** The worker that the fault is made on. */
  readonly node: string;
  /** Runs a program there; throws with its words. */
  readonly on: (argv: readonly string[]) => Promise<string>;
  /** Address of a pod of the first worker. */
  readonly address: (pod: string, nic: "main" | "net1") => string;
  /** Stops the node's agent, which would put the fault right; `undo` lets it go on. */
  readonly pauseAgent: () => Promise<void>;
  readonly resumeAgent: () => Promise<void>;
}

/** A fault that is really made, and what the doctor must call it. */
export interface Fault {
  readonly title: string;
  readonly check: string;
  make(context: FaultContext): Promise<void>;
  undo(context: FaultContext): Promise<void>;
}

/** In this order: kube-proxy is v1.29, started with the sysctl 0. */
export const FAULTS: readonly Fault[] = [
  {
    title: "DROP rule with the sysctl off",
    check: "invalid-drop",
    make: ({ cluster }) => configure(cluster, { returnPath: "none" }),
    undo: ({ cluster }) => configure(cluster, { returnPath: "notrack" }),
  },
  {
    title: "sysctl on, kube-proxy not restarted",
    check: "invalid-drop",
    make: ({ cluster }) => configure(cluster, { returnPath: "liberal" }),
    undo: ({ cluster }) => configure(cluster, { returnPath: "notrack" }),
  },
  {
    title: "notrack table deleted",
    check: "invalid-drop",
    make: async ({ on, pauseAgent }) => {
      await pauseAgent();
      await on(["nft", "delete", "table", "inet", "interlay"]);
    },
    undo: ({ resumeAgent }) => resumeAgent(),
  },
  {
    title: "wrong facts: an override names another overlay",
    check: "network-missing",
    make: ({ cluster }) => configure(cluster, { overlayCidrs: "10.99.0.0/16" }),
    undo: ({ cluster }) => configure(cluster, { overlayCidrs: null }),
  },
  {
    title: "missing host route of an underlay pod",
    check: "host-route",
    make: async ({ on, address, pauseAgent }) => {
      await pauseAgent();
      await on(["ip", "route", "delete", `${address("underlay-1-b", "main")}/32`]);
    },
    undo: ({ resumeAgent }) => resumeAgent(),
  },
  {
    title: "missing host route of a multi-NIC pod",
    check: "host-route",
    make: async ({ on, address, pauseAgent }) => {
      await pauseAgent();
      await on(["ip", "route", "delete", `${address("multi-nic-1-b", "net1")}/32`, "table", "500"]);
    },
    undo: ({ resumeAgent }) => resumeAgent(),
  },
  {
    title: "rp_filter strict",
    check: "rp-filter",
    make: async ({ on }) => {
      await on(["sysctl", "-w", "net.ipv4.conf.all.rp_filter=1"]);
    },
    undo: async ({ on }) => {
      await on(["sysctl", "-w", "net.ipv4.conf.all.rp_filter=0"]);
    },
  },
  {
    title: "FORWARD DROP",
    check: "forward-drop",
    make: async ({ on }) => {
      await on(["iptables", "-P", "FORWARD", "DROP"]);
    },
    undo: async ({ on }) => {
      await on(["iptables", "-P", "FORWARD", "ACCEPT"]);
    },
  },
];
