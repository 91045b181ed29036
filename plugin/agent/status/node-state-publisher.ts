import type { Facts } from "../../datapath/facts.ts";
import { type KubeClient } from "../../kubernetes/kube-client.ts";
import { hasStatus } from "../../kubernetes/kube-error.ts";
import { GROUP_VERSION, RESOURCE } from "../../kubernetes/objects.ts";
import { addTransitionTimes, type NodeStateStatus, type StatusCondition } from "../../kubernetes/status-schemas.ts";
import { VERSION } from "../../version/version.ts";
import type { AgentStatus } from "./agent-status.ts";

type NodeConditionType =
  "FactsReady" | "ReturnPathReady" | "GateOpen" | "ServicesReady" | "IPAMReady" | "AttachmentsReady" | "PathsReady";

/** Builds NodeState.status with the discovered facts, the applied state and their reasons. Pure. */
export function buildNodeStateStatus(
  agentStatus: AgentStatus,
  previous: readonly StatusCondition[],
  now: Date,
): NodeStateStatus {
  const buildCondition = (type: NodeConditionType, ok: boolean, reason: string, message: string) =>
    ({ type, status: ok ? "True" : "False", reason, message }) as const;
  const { facts, repair } = agentStatus;
  const applied = facts !== undefined && agentStatus.returnPathError === undefined;
  const refused = describeRefused(facts);
  const notes = [...agentStatus.problems, ...refused, ...agentStatus.disagreements].join(" ");
  const current = [
    buildCondition(
      "FactsReady",
      facts !== undefined && agentStatus.problems.length === 0 && refused.length === 0,
      findFactsReason(agentStatus),
      notes === "" ? "Every fact was found." : notes,
    ),
    buildCondition(
      "ReturnPathReady",
      applied,
      applied ? "Applied" : "NotApplied",
      agentStatus.returnPathError ?? `${facts?.returnPath ?? "nothing"} is in the kernel.`,
    ),
    buildCondition(
      "GateOpen",
      agentStatus.gate.open,
      agentStatus.gate.open ? "Open" : "Closed",
      agentStatus.gate.reason,
    ),
    buildCondition(
      "ServicesReady",
      agentStatus.services.ready,
      agentStatus.services.reason,
      agentStatus.services.message,
    ),
    buildCondition(
      "IPAMReady",
      agentStatus.ipamError === undefined,
      agentStatus.ipamError !== undefined ? "Failed" : agentStatus.poolProblems.length > 0 ? "PoolsWrong" : "Serving",
      agentStatus.ipamError ?? ["Addresses are given on this node.", ...agentStatus.poolProblems].join(" "),
    ),
    buildCondition(
      "AttachmentsReady",
      repair.failed.length === 0,
      repair.failed.length === 0 ? "InPlace" : "RepairFailed",
      repair.failed.length === 0 ? `${repair.attachments} attachments are as planned.` : repair.failed.join("; "),
    ),
    { type: "PathsReady" satisfies NodeConditionType, ...agentStatus.paths },
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
      configResourceVersion: agentStatus.configResourceVersion,
    },
    tcpBeLiberal: agentStatus.tcpBeLiberal,
    // Without the counter, which would cause a write to the API server for every dropped packet.
    kubeProxy: {
      version: agentStatus.kubeProxy.version,
      mode: agentStatus.kubeProxy.mode,
      invalidDropRule: agentStatus.kubeProxy.invalidDropRule,
      source: agentStatus.kubeProxy.source,
    },
    gate: agentStatus.gate,
    facts: facts ?? null,
    attachments: repair.attachments,
    conditions,
  };
}

/** Describes each network that was found and is not used, a sentence each. */
function describeRefused(facts: Facts | undefined): readonly string[] {
  return (facts?.refusedNetworks ?? []).map(
    ({ network, source, reason }) =>
      `${source} says ${network}, but ${reason}: pods reach it by the wire, not through the node. Take it out of there, or set the right networks in ConfigMap interlay-config.`,
  );
}

/** Returns the reason of FactsReady. `NotRenewed` means that facts are missing now and the last valid ones are used. */
function findFactsReason({ facts, problems, disagreements }: AgentStatus): string {
  if (facts === undefined) return "FactMissing";
  if (problems.length > 0) return "NotRenewed";
  if (facts.refusedNetworks.length > 0) return "NetworkRefused";
  return disagreements.length > 0 ? "SourcesDisagree" : "Found";
}

/** Writes the NodeState of this node when it has changed; creates it on first use. */
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

  /** @param nodeUid uid of this node's Node, the owner of the NodeState; undefined while it is unknown */
  async publish(status: NodeStateStatus, nodeUid: string | undefined): Promise<void> {
    this.conditions = status.conditions;
    const json = JSON.stringify(status);
    const isOwned = nodeUid === undefined || nodeUid === this.#owner;
    if (json === this.#published && isOwned) return;
    const patch = (): Promise<unknown> => this.#kube.mergePatch(RESOURCE.nodeStates, this.#node, { status }, "status");
    try {
      await patch();
    } catch (error) {
      if (!hasStatus(error, 404)) throw error;
      const body = { apiVersion: GROUP_VERSION, kind: "NodeState", metadata: { name: this.#node } };
      await this.#kube.create(RESOURCE.nodeStates, body);
      await patch();
    }
    this.#published = json;
    if (isOwned) return;
    const owner = { apiVersion: "v1", kind: "Node", name: this.#node, uid: nodeUid };
    await this.#kube.mergePatch(RESOURCE.nodeStates, this.#node, { metadata: { ownerReferences: [owner] } });
    this.#owner = nodeUid;
  }
}
