import { readAttachment } from "../state/attachment.ts";
import { withNamespaces } from "../datapath/kernel.ts";
import { describeItem } from "../datapath/plan/plan.ts";
import { readDrift } from "../datapath/apply/read-drift.ts";
import type { CniCall } from "./cni-call.ts";
import { CniError, CODE } from "./error.ts";
import { parseOptions } from "./options.ts";

/** CNI spec 1.1.0, section 2 "CHECK": the kernel has what ADD's plan says, line by line. */
export function cmdCheck({ request: { config, containerId, ifname, netns, pod }, paths: places }: CniCall): void {
  if (parseOptions(config).mode === "disabled") return;
  const record = readAttachment(containerId, ifname, places.attachments);
  if (record === undefined)
    throw new CniError(
      CODE.unknownContainer,
      `there is no record of ${ifname} of container ${containerId}: it was never added, or has been deleted`,
    );
  const drift = withNamespaces(netns, (node, podNamespace) => readDrift(record.plan, node, podNamespace));
  if (drift.length > 0)
    throw new CniError(
      CODE.drift,
      `pod ${pod.namespace}/${pod.name} lacks ${drift.length} of ${record.plan.items.length} things: ${drift.map(describeItem).join("; ")}`,
      "The agent repairs this within seconds while it runs.",
    );
}
