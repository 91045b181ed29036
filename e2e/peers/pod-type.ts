import ipaddr from "ipaddr.js";
import { z } from "zod";
import type { ClusterSpec } from "../../clusters/spec/cluster-spec.ts";
import type { PodType } from "../../results/schema.ts";

const pod = z.object({
  metadata: z.object({ annotations: z.record(z.string(), z.string()).optional() }),
  status: z.object({ podIP: z.string().optional() }),
});
const networkStatus = z.array(z.object({ interface: z.string().optional() }));

/**
 * Detects the type of a pod from its address and its links.
 *
 * @param object a Pod as the API server returns it
 * @returns undefined if the pod has no address, or its address is in neither of the two networks
 */
export function detectPodType(
  object: unknown,
  { overlayCidr, underlayCidr }: Pick<ClusterSpec, "overlayCidr" | "underlayCidr">,
): PodType | undefined {
  const { metadata, status } = pod.parse(object);
  if (status.podIP === undefined) return undefined;
  const address = ipaddr.parse(status.podIP);
  if (address.match(ipaddr.parseCIDR(underlayCidr))) return "underlay";
  if (!address.match(ipaddr.parseCIDR(overlayCidr))) return undefined;
  const links = networkStatus.parse(JSON.parse(metadata.annotations?.["k8s.v1.cni.cncf.io/network-status"] ?? "[]"));
  return links.some((link) => link.interface === "net1") ? "multi-nic" : "overlay";
}
