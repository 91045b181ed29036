import { listAttachments, type Attachment } from "../state/attachment.ts";
import { withNamespaces } from "../datapath/kernel.ts";
import { describeItem, MAIN_TABLE, type Plan, type PlanItem } from "../datapath/plan-item.ts";
import { readDrift } from "../datapath/apply/read-drift.ts";
import { planRequest } from "./add.ts";
import { CniError, CODE } from "./error.ts";
import { buildPaths } from "./plugin-paths.ts";
import { parseRequest } from "./request.ts";

/** Selects the plan to explain: a pod, or a configuration. */
export interface ExplainOptions {
  /** `NAMESPACE/NAME` of a pod that is attached on this node. */
  readonly pod?: string;
  /** A network configuration with its prevResult, as ADD gets it on stdin. */
  readonly config?: string;
  readonly netns?: string;
  readonly ifname?: string;
  readonly containerId?: string;
  readonly stateDirectory?: string;
}

/** Renders each plan item with its reason and its row of the datapath contract. Changes nothing. @throws CniError */
export function renderExplanation(options: ExplainOptions): string {
  return options.config === undefined ? explainPod(options) : explainConfig(options.config, options);
}

/** Renders the plan of a dry run of ADD. */
function explainConfig(
  config: string,
  { netns = "", ifname = "eth0", containerId = "explain", stateDirectory }: ExplainOptions,
): string {
  const request = parseRequest(
    { CNI_COMMAND: "ADD", CNI_CONTAINERID: containerId, CNI_NETNS: netns, CNI_IFNAME: ifname },
    config,
  );
  return explainPlan(planRequest(request, buildPaths(stateDirectory)), []);
}

function explainPod({ pod = "", stateDirectory }: ExplainOptions): string {
  const { attachments } = buildPaths(stateDirectory);
  const ofPod = listAttachments(attachments).filter((a) => `${a.pod.namespace}/${a.pod.name}` === pod);
  if (ofPod.length === 0)
    throw new CniError(
      CODE.unknownContainer,
      pod === "" ? "no pod was named" : `pod ${pod} is not attached on this node`,
      "Pass NAMESPACE/NAME, on the node where the pod runs.",
    );
  return ofPod.map(explainAttachment).join("\n");
}

function explainAttachment({ pod, ifname, netns, plan }: Attachment): string {
  const missing = withNamespaces(netns, (node, podNamespace) => readDrift(plan, node, podNamespace));
  return `${ifname} of pod ${pod.namespace}/${pod.name}\n${explainPlan(plan, missing)}`;
}

/**
 * Renders a plan. Pure.
 *
 * @param missing items of the plan that the kernel does not have
 */
function explainPlan({ items }: Plan, missing: readonly PlanItem[]): string {
  if (items.length === 0) return "no items: the pod reaches its node by the overlay's own link\n";
  return items
    .map((item) => {
      const note = missing.includes(item) ? "  MISSING in the kernel: the agent restores it" : "";
      return `${describeItem(item)}${note}\n    ${item.reason}\n    contract: ${getContractRow(item)}\n`;
    })
    .join("");
}

/** Returns the row of the table "Datapath contract" (docs/architecture.md) that an item belongs to. */
function getContractRow(item: PlanItem): string {
  switch (item.kind) {
    case "veth":
    case "up":
    case "mac":
      return "pod, links";
    case "sysctl":
      return "node, sysctls";
    case "neighbour":
      return "pod, neighbours";
    case "route":
      if (item.where === "node") return "node, routes";
      return item.table === MAIN_TABLE ? "pod, main table" : "pod, rules";
    case "rule":
      return item.where === "node" ? "node, routes" : "pod, rules";
    case "reply-mark":
      return "pod, rules";
    case "source-guard":
      return "pod, links";
  }
}
