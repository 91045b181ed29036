import { readAttachment } from "../datapath/attachment.ts";
import { withNamespaces } from "../datapath/kernel.ts";
import { describeItem } from "../datapath/plan.ts";
import { readDrift } from "../datapath/read.ts";
import type { Call } from "./call.ts";
import { CniError, CODE } from "./error.ts";
import { parseOptions } from "./options.ts";

/** CNI spec 1.1.0, section 2 "CHECK": the kernel has what ADD's plan says, line by line. */
export function check({ request: { config, containerId, ifname, netns, pod }, places }: Call): void {
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
