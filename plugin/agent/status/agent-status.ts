import type { Facts } from "../../datapath/facts.ts";
import type { Gate } from "../kube-proxy/kube-proxy-gate.ts";
import type { KubeProxyObservation } from "../kube-proxy/kube-proxy-observer.ts";
import { NOT_OBSERVED, type ServicesState } from "../kube-proxy/service-translation.ts";
import type { PathsState } from "../paths/describe-paths.ts";
import type { RepairReport } from "../reconcile/repair.ts";

/** State shared by the agent's loops: each loop writes its own part, the status loop reads all. */
export interface AgentStatus {
  /** Facts in use: the current facts, or the last valid facts if they cannot be renewed. */
  facts: Facts | undefined;
  /** Reasons why the facts cannot be renewed. */
  problems: readonly string[];
  disagreements: readonly string[];
  configResourceVersion: string;
  returnPathError: string | undefined;
  tcpBeLiberal: 0 | 1;
  kubeProxy: KubeProxyObservation;
  /** Rules of others that drop INVALID packets on the way to other nodes. */
  otherDrops: readonly string[];
  services: ServicesState;
  /** Packets by rule of the node's table and of the pairs' guards. */
  ruleCounters: ReadonlyMap<string, number>;
  gate: Gate;
  ipamError: string | undefined;
  /** Unusable pools, a line each. */
  poolProblems: readonly string[];
  repair: RepairReport;
  paths: PathsState;
  /** Processor time of all traces of paths since the start, in milliseconds. */
  pathsProcessorMs: number;
}

/** Creates the status of an agent before its first pass. @param facts facts of its last run; undefined on a new node */
export function createAgentStatus(facts: Facts | undefined): AgentStatus {
  return {
    facts,
    problems: facts === undefined ? ["The cluster has not been looked at yet."] : [],
    disagreements: [],
    configResourceVersion: "",
    returnPathError: "It has not been applied yet.",
    tcpBeLiberal: 0,
    kubeProxy: {
      version: null,
      mode: null,
      invalidDropRule: false,
      source: "not looked at yet",
      invalidDrops: undefined,
    },
    otherDrops: [],
    services: { ready: false, reason: NOT_OBSERVED, message: "The node's packet filter has not been read yet." },
    ruleCounters: new Map(),
    gate: { open: false, reason: "kube-proxy has not been looked at yet." },
    ipamError: "not started yet",
    poolProblems: [],
    paths: { status: "Unknown", reason: "NotTraced", message: "No path has been traced yet." },
    pathsProcessorMs: 0,
    repair: { attachments: 0, repaired: [], failed: [], removed: [], busy: 0 },
  };
}
