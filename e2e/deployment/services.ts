import { type Addresses, groupByFamily } from "../pods/pod-addresses.ts";
import { Eventually } from "../harness.ts";
import { type ClusterApi, retryOnServerError } from "../support/cluster-api.ts";

/** Addresses of a Service. */
export interface DeployedService {
  readonly clusterIPs: Addresses;
  /** Node ports by the name of the Service's port. */
  readonly nodePorts: Readonly<Record<string, number | undefined>>;
  readonly vips: Readonly<Record<"load-balancer" | "external-ip", Addresses>>;
}

/** Waits until every Service of type LoadBalancer has an address and an external IP. */
export async function waitForVirtualAddresses(api: ClusterApi, namespace: string): Promise<void> {
  await Eventually(
    "no Service without virtual addresses, which the cluster's load balancer gives,",
    async () => {
      const { items } = await retryOnServerError(() => api.core.listNamespacedService({ namespace }));
      return items
        .filter(({ spec }) => spec?.type === "LoadBalancer")
        .filter(({ spec, status }) => !status?.loadBalancer?.ingress || !spec?.externalIPs?.length)
        .map(({ metadata }) => metadata?.name ?? "");
    },
    (names) => names.length === 0,
  );
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
