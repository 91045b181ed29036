import type { z } from "zod";
import type { PodObject, serviceObject } from "../../kubernetes/objects.ts";

/** A destination that pods reach through their node, with the reason for its route. */
export interface RouteSource {
  readonly address: string;
  readonly reason: string;
}

type ServiceObject = z.infer<typeof serviceObject>;

/** Label of Services that another proxy than kube-proxy translates. */
const OTHER_PROXY = "service.kubernetes.io/service-proxy-name";

/** Reports whether a Service has addresses outside the cluster's Service network that kube-proxy translates. */
export function hasExternalAddress(service: ServiceObject): boolean {
  return listExternalAddresses(service).length > 0;
}

/**
 * Lists the external addresses of Services that a pod reaches through its own node. A Service with
 * policy Local is translated only where the node has an endpoint: elsewhere the wire leads to the node that announces the address.
 * @param pods pods of this node
 */
export function findServiceAddresses(
  services: readonly ServiceObject[],
  pods: readonly PodObject[],
): readonly RouteSource[] {
  const routeSources = new Map<string, RouteSource>();
  for (const service of services) {
    if (service.spec.externalTrafficPolicy === "Local" && !hasEndpoint(service, pods)) continue;
    const name = `${service.metadata.namespace ?? ""}/${service.metadata.name}`;
    for (const { address, field } of listExternalAddresses(service))
      if (!routeSources.has(address))
        routeSources.set(address, {
          address,
          reason: `${field} of Service ${name}: kube-proxy translates it on the pod's own node`,
        });
  }
  return [...routeSources.values()].sort((a, b) => (a.address < b.address ? -1 : a.address > b.address ? 1 : 0));
}

/** Lists the addresses of a Service outside the cluster's Service network. */
export function listExternalAddresses({
  metadata,
  spec,
  status,
}: ServiceObject): readonly { readonly address: string; readonly field: string }[] {
  if (OTHER_PROXY in metadata.labels) return [];
  return [
    ...spec.externalIPs.map((address) => ({ address, field: "external IP" })),
    // With ipMode Proxy the load balancer itself must see the traffic (KEP-1860).
    ...status.loadBalancer.ingress.flatMap(({ ip, ipMode }) =>
      ip === undefined || ipMode === "Proxy" ? [] : [{ address: ip, field: "load balancer address" }],
    ),
  ];
}

function hasEndpoint({ metadata, spec }: ServiceObject, pods: readonly PodObject[]): boolean {
  const selector = Object.entries(spec.selector);
  if (selector.length === 0) return false;
  return pods.some(
    ({ metadata: pod, status }) =>
      pod.namespace === metadata.namespace &&
      pod.deletionTimestamp === undefined &&
      status.phase === "Running" &&
      selector.every(([key, value]) => pod.labels[key] === value),
  );
}
