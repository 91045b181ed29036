import type { Facts, ReturnPath } from "../datapath/facts.ts";
import type { Gate } from "./gate.ts";
import type { KubeProxyState } from "./kube-proxy.ts";
import type { RepairReport } from "./repair.ts";

export interface Condition {
  readonly type: "FactsReady" | "ReturnPathReady" | "GateOpen" | "IPAMReady" | "AttachmentsReady";
  readonly status: "True" | "False";
  readonly reason: string;
  readonly message: string;
  readonly lastTransitionTime: string;
}

/** NodeState.status: what the agent found, what it made, and why. */
export interface NodeStatus {
  readonly returnPath: {
    readonly mode: ReturnPath | null;
    readonly applied: boolean;
    readonly configResourceVersion: string;
  };
  readonly tcpBeLiberal: 0 | 1;
  readonly kubeProxy: KubeProxyState;
  readonly gate: Gate;
  readonly facts: Facts | null;
  readonly attachments: number;
  readonly conditions: readonly Condition[];
}

export interface Pass {
  readonly facts: Facts | undefined;
  readonly problems: readonly string[];
  readonly disagreements: readonly string[];
  readonly returnPathError: string | undefined;
  readonly configResourceVersion: string;
  readonly tcpBeLiberal: 0 | 1;
  readonly kubeProxy: KubeProxyState;
  readonly gate: Gate;
  readonly ipamError: string | undefined;
  readonly repair: RepairReport;
}

/** A condition's transition time is that of the last pass which changed its status. Pure. */
export function nodeStatus(pass: Pass, previous: readonly Condition[], now: Date): NodeStatus {
  const condition = (type: Condition["type"], ok: boolean, reason: string, message: string): Condition => {
    const before = previous.find((c) => c.type === type);
    const status = ok ? "True" : "False";
    return {
      type,
      status,
      reason,
      message,
      lastTransitionTime: before?.status === status ? before.lastTransitionTime : now.toISOString(),
    };
  };
  const { facts, repair } = pass;
  const applied = facts !== undefined && pass.returnPathError === undefined;
  const told = [...pass.problems, ...pass.disagreements].join(" ");
  return {
    returnPath: { mode: facts?.returnPath ?? null, applied, configResourceVersion: pass.configResourceVersion },
    tcpBeLiberal: pass.tcpBeLiberal,
    kubeProxy: pass.kubeProxy,
    gate: pass.gate,
    facts: facts ?? null,
    attachments: repair.attachments,
    conditions: [
      condition(
        "FactsReady",
        facts !== undefined,
        facts === undefined ? "FactMissing" : pass.disagreements.length > 0 ? "SourcesDisagree" : "Found",
        told === "" ? "Every fact was found." : told,
      ),
      condition(
        "ReturnPathReady",
        applied,
        applied ? "Applied" : "NotApplied",
        pass.returnPathError ?? `${facts?.returnPath ?? "nothing"} is in the kernel.`,
      ),
      condition("GateOpen", pass.gate.open, pass.gate.open ? "Open" : "Closed", pass.gate.reason),
      condition(
        "IPAMReady",
        pass.ipamError === undefined,
        pass.ipamError === undefined ? "Serving" : "Failed",
        pass.ipamError ?? "Addresses are given on this node.",
      ),
      condition(
        "AttachmentsReady",
        repair.failed.length === 0,
        repair.failed.length === 0 ? "InPlace" : "RepairFailed",
        repair.failed.length === 0 ? `${repair.attachments} attachments are as planned.` : repair.failed.join("; "),
      ),
    ],
  };
}
