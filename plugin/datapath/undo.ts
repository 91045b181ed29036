import { RTM_ROUTE, encodeRoute } from "../netlink/route.ts";
import { RTM_RULE, encodeRule } from "../netlink/rule.ts";
import { NetlinkError } from "../netlink/socket.ts";
import { removeLink } from "./apply.ts";
import { Namespace } from "./kernel.ts";
import { kernelRoute, kernelRule } from "./kernel-objects.ts";
import { describeItem, type Plan } from "./plan.ts";

/** What says that there is nothing to remove. */
const GONE = new Set(["ENOENT", "ESRCH", "ENODEV", "EADDRNOTAVAIL"]);

/**
 * Takes away what a plan made: routes on the node, the pair, and in the pod, where it still exists, what belongs to this
 * NIC alone. What is gone already is no error.
 */
export function undoPlan(plan: Plan, node: Namespace, podPath: string | undefined): void {
  for (const item of plan.items) {
    if (item.kind === "veth") removeLink(node, item.node.name);
    if (item.kind === "route" && item.where === "node") removeRoute(item, node);
  }
  if (podPath === undefined) return;
  let pod: Namespace;
  try {
    pod = new Namespace(podPath);
  } catch {
    return; // it went away meanwhile, and everything in it
  }
  try {
    for (const item of plan.items)
      if (item.kind === "rule")
        tolerate(() => {
          pod.socket.execute(describeItem(item), RTM_RULE.del, 0, encodeRule(kernelRule(item)));
        });
  } finally {
    pod.close();
  }
}

function removeRoute(item: Extract<Plan["items"][number], { kind: "route" }>, node: Namespace): void {
  const link = node.findLink(item.device);
  if (link === undefined) return; // went with its link
  tolerate(() => {
    node.socket.execute(describeItem(item), RTM_ROUTE.del, 0, encodeRoute(kernelRoute(item, link.index)));
  });
}

function tolerate(work: () => void): void {
  try {
    work();
  } catch (error) {
    if (!(error instanceof NetlinkError && GONE.has(error.code))) throw error;
  }
}
