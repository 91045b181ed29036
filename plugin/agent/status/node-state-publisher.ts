import type { Facts } from "../../datapath/facts.ts";
import { type KubeClient } from "../../kubernetes/kube-client.ts";
import { hasStatus } from "../../kubernetes/kube-error.ts";
import { GROUP_VERSION, RESOURCE } from "../../kubernetes/objects.ts";
import { addTransitionTimes, type NodeStateStatus, type StatusCondition } from "../../kubernetes/status-schemas.ts";
import { VERSION } from "../../version/version.ts";
import type { AgentStatus } from "./agent-status.ts";

type NodeConditionType =
  "FactsReady" | "ReturnPathReady" | "GateOpen" | "ServicesReady" | "IPAMReady" | "AttachmentsReady" | "PathsReady";

/** Builds NodeState.status: what the agent found, what it made, and why. Pure. */
export function buildNodeStateStatus(
  pass: AgentStatus,
  previous: readonly StatusCondition[],
  now: Date,
): NodeStateStatus {
  const condition = (type: NodeConditionType, ok: boolean, reason: string, message: string) =>
    ({ type, status: ok ? "True" : "False", reason, message }) as const;
  const { facts, repair } = pass;
  const applied = facts !== undefined && pass.returnPathError === undefined;
  const refused = describeRefused(facts);
  const notes = [...pass.problems, ...refused, ...pass.disagreements].join(" ");
  const current = [
    condition(
      "FactsReady",
      facts !== undefined && pass.problems.length === 0 && refused.length === 0,
      findFactsReason(pass),
      notes === "" ? "Every fact was found." : notes,
    ),
    condition(
      "ReturnPathReady",
      applied,
      applied ? "Applied" : "NotApplied",
      pass.returnPathError ?? `${facts?.returnPath ?? "nothing"} is in the kernel.`,
    ),
    condition("GateOpen", pass.gate.open, pass.gate.open ? "Open" : "Closed", pass.gate.reason),
    condition("ServicesReady", pass.services.ready, pass.services.reason, pass.services.message),
    condition(
      "IPAMReady",
      pass.ipamError === undefined,
      pass.ipamError !== undefined ? "Failed" : pass.poolProblems.length > 0 ? "PoolsWrong" : "Serving",
      pass.ipamError ?? ["Addresses are given on this node.", ...pass.poolProblems].join(" "),
    ),
    condition(
      "AttachmentsReady",
      repair.failed.length === 0,
      repair.failed.length === 0 ? "InPlace" : "RepairFailed",
      repair.failed.length === 0 ? `${repair.attachments} attachments are as planned.` : repair.failed.join("; "),
    ),
    { type: "PathsReady" satisfies NodeConditionType, ...pass.paths },
  ];
  const conditions = [...addTransitionTimes(current, previous, now)];
  const failing = conditions.find(({ status }) => status === "False");
  return {
    ready: failing === undefined ? "True" : "False",
    reason: failing === undefined ? "" : `${failing.type}: ${failing.reason}`,
    version: VERSION,
    returnPath: {
      mode: facts?.returnPath ?? null,
      chosenBecause: facts?.sources["returnPath"] ?? "",
      applied,
      configResourceVersion: pass.configResourceVersion,
    },
    tcpBeLiberal: pass.tcpBeLiberal,
    // Without the counter, which would be a write to the API server for every packet.
    kubeProxy: {
      version: pass.kubeProxy.version,
      mode: pass.kubeProxy.mode,
      invalidDropRule: pass.kubeProxy.invalidDropRule,
      source: pass.kubeProxy.source,
    },
    gate: pass.gate,
    facts: facts ?? null,
    attachments: repair.attachments,
    conditions,
  };
}

/** A sentence for each network that was found and is not used. */
function describeRefused(facts: Facts | undefined): readonly string[] {
  return (facts?.refusedNetworks ?? []).map(
    ({ network, source, reason }) =>
      `${source} says ${network}, but ${reason}: pods reach it by the wire, not through the node. Take it out of there, or set the right networks in ConfigMap interlay-config.`,
  );
}

/** `NotRenewed`: what is found now makes no facts, and the node goes by the last good ones. */
function findFactsReason({ facts, problems, disagreements }: AgentStatus): string {
  if (facts === undefined) return "FactMissing";
  if (problems.length > 0) return "NotRenewed";
  if (facts.refusedNetworks.length > 0) return "NetworkRefused";
  return disagreements.length > 0 ? "SourcesDisagree" : "Found";
}

/** Writes the NodeState of this node, made on first use; only what has changed is written. */
export class NodeStatePublisher {
  readonly #kube: KubeClient;
  readonly #node: string;
  #published = "";
  /** Uid of the Node that owns the object. */
  #owner: string | undefined;
  conditions: readonly StatusCondition[] = [];

  constructor(kube: KubeClient, node: string) {
    this.#kube = kube;
    this.#node = node;
  }

  /** @param nodeUid uid of this node's Node, with which the object is deleted; undefined while it is not known */
  async publish(status: NodeStateStatus, nodeUid: string | undefined): Promise<void> {
    this.conditions = status.conditions;
    const text = JSON.stringify(status);
    const isOwned = nodeUid === undefined || nodeUid === this.#owner;
    if (text === this.#published && isOwned) return;
    const patch = (): Promise<unknown> => this.#kube.mergePatch(RESOURCE.nodeStates, this.#node, { status }, "status");
    try {
      await patch();
    } catch (error) {
      if (!hasStatus(error, 404)) throw error;
      const body = { apiVersion: GROUP_VERSION, kind: "NodeState", metadata: { name: this.#node } };
      await this.#kube.create(RESOURCE.nodeStates, body);
      await patch();
    }
    this.#published = text;
    if (isOwned) return;
    const owner = { apiVersion: "v1", kind: "Node", name: this.#node, uid: nodeUid };
    await this.#kube.mergePatch(RESOURCE.nodeStates, this.#node, { metadata: { ownerReferences: [owner] } });
    this.#owner = nodeUid;
  }
}
