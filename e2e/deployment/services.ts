import { type Addresses, groupByFamily } from "../pods/pod-addresses.ts";
import { type ClusterApi, retryOnServerError } from "../support/cluster-api.ts";

const VIRTUAL_ADDRESSES_TIMEOUT_MS = 30_000;

/** Addresses of a Service. */
export interface DeployedService {
  readonly clusterIPs: Addresses;
  /** Node ports by the name of the Service's port. */
  readonly nodePorts: Readonly<Record<string, number | undefined>>;
  readonly vips: Readonly<Record<"load-balancer" | "external-ip", Addresses>>;
}

/** Waits until every Service of type LoadBalancer has an address and an external IP. */
export async function waitForVirtualAddresses(api: ClusterApi, namespace: string): Promise<void> {
  const deadline = Date.now() + VIRTUAL_ADDRESSES_TIMEOUT_MS;
  for (;;) {
    const { items } = await retryOnServerError(() => api.core.listNamespacedService({ namespace }));
    const without = items.filter(
      ({ spec, status }) =>
        spec?.type === "LoadBalancer" &&
        (status?.loadBalancer?.ingress === undefined || (spec.externalIPs ?? []).length === 0),
    );
    if (without.length === 0) return;
    if (Date.now() > deadline) {
      const names = without.map(({ metadata }) => metadata?.name ?? "").join(", ");
      throw new Error(
        `no virtual address after ${VIRTUAL_ADDRESSES_TIMEOUT_MS / 1000} s: ${names}; does the cluster's load balancer run?`,
      );
    }
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

/** Reads the addresses and node ports of the Services in a namespace. */
export async function readServices(api: ClusterApi, namespace: string): Promise<ReadonlyMap<string, DeployedService>> {
  const { items } = await api.core.listNamespacedService({ namespace });
  return new Map(
    items.map((service) => [
      service.metadata?.name ?? "",
      {
        clusterIPs: groupByFamily(service.spec?.clusterIPs ?? []),
        nodePorts: Object.fromEntries((service.spec?.ports ?? []).map((port) => [port.name ?? "", port.nodePort])),
        vips: {
          "load-balancer": groupByFamily((service.status?.loadBalancer?.ingress ?? []).map(({ ip }) => ip)),
          "external-ip": groupByFamily(service.spec?.externalIPs ?? []),
        },
      },
    ]),
  );
}
