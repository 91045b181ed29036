import { readAttachment } from "../state/attachment.ts";
import { withNamespaces } from "../datapath/kernel.ts";
import { describeItem } from "../datapath/plan-item.ts";
import { readDrift } from "../datapath/apply/read-drift.ts";
import type { CniCall } from "./cni-call.ts";
import { CniError, CODE } from "./error.ts";
import { parseOptions } from "./network-options.ts";

/** Executes CHECK (CNI spec 1.1.0, section 2): compares the kernel with ADD's plan. @throws CniError 102 that lists the missing items */
export function cmdCheck({ request: { config, containerId, ifname, netns, pod }, paths }: CniCall): void {
  if (parseOptions(config).mode === "disabled") return;
  const record = readAttachment(containerId, ifname, paths.attachments);
  if (record === undefined)
    throw new CniError(
      CODE.unknownContainer,
      `no record of ${ifname} of container ${containerId}: it was never added, or it was deleted`,
    );
  const drift = withNamespaces(netns, (node, podNamespace) => readDrift(record.plan, node, podNamespace));
  if (drift.length > 0)
    throw new CniError(
      CODE.drift,
      `pod ${pod.namespace}/${pod.name} lacks ${drift.length} of ${record.plan.items.length} plan items: ${drift.map(describeItem).join("; ")}`,
      "The agent repairs this within seconds while it runs.",
    );
}
