import { z } from "zod";
import type { Cluster } from "../../clusters/provider.ts";
import { retryOnServerError, type ClusterApi } from "./cluster-api.ts";

/** What a pod leaves on a node if its DEL forgets something: links, neighbours, rules, routes, network namespaces. */
export async function readNodeState(cluster: Cluster): Promise<readonly string[]> {
  const commands = [
    ["ip", "-o", "link"],
    ["ip", "rule"],
    ["ip", "route", "show", "table", "all"],
    ["ip", "neigh", "show", "nud", "permanent"],
    ["ip", "netns"],
    ["nft", "list", "tables"],
  ];
  const lists = await Promise.all(
    cluster.nodes.flatMap(({ name }) =>
      commands.map(async (argv) => {
        const { stdout } = await cluster.exec(name, argv);
        return stdout.split("\n").flatMap((line) => {
          const stable = stableLine(line);
          // kube-proxy's own tables come and go with its mode.
          return stable === "" ||
            isLinkLocal(stable) ||
            isFelix(stable) ||
            isBridge(stable) ||
            /^table ip6? kube-proxy$/.test(stable)
            ? []
            : [`${name}: ${argv.join(" ")}: ${stable}`];
        });
      }),
    ),
  );
  return lists.flat();
}

/** IPv6 routes that the kernel makes for every link that is up, as late as its address is known to be nobody else's. */
function isLinkLocal(line: string): boolean {
  return /^((local|anycast|multicast) )?(fe80:|ff00:)/.test(line);
}

/** Tunnel addresses and routes to other nodes' blocks: felix makes them when a block is there, be it in the middle of a suite. */
function isFelix(line: string): boolean {
  return / dev vxlan(-v6)?\.calico /.test(line);
}

/** The reference plugin bridge makes its link and route with a node's first pod, and keeps them. */
function isBridge(line: string): boolean {
  return /^cni0$| dev cni0( |$)/.test(line);
}

/** The line without what changes by itself: indices, states, queue lengths, Calico's own route refreshes. */
function stableLine(line: string): string {
  const link = /^\d+: ([^:@]+)[@:]/.exec(line)?.[1];
  return link ?? line.replaceAll(/\s+/g, " ").trim();
}

const address = z.object({ spec: z.object({ pod: z.object({ namespace: z.string() }) }) });

/**
 * Namespaces, and Interlay's own objects: an address that no pod has.
 * @param only of this namespace: in a cluster that others use too, what else comes and goes is theirs
 */
export async function listClusterObjects(api: ClusterApi, only?: string): Promise<readonly string[]> {
  const namespaces = await retryOnServerError(() => api.core.listNamespace());
  const addresses = await api.objects.list("interlay.dev/v1alpha1", "UnderlayAddress").then(
    ({ items }) => items,
    () => [],
  );
  return [
    ...namespaces.items
      .filter(({ metadata }) => only === undefined || metadata?.name === only)
      .map(({ metadata }) => `namespace ${metadata?.name ?? ""}`),
    ...addresses
      .filter((one) => only === undefined || address.safeParse(one).data?.spec.pod.namespace === only)
      .map(({ metadata }) => `UnderlayAddress ${metadata?.name ?? ""}`),
  ];
}
