import { z } from "zod";
import type { Cluster } from "../../clusters/provider/provider.ts";
import { retryOnServerError, type ClusterApi } from "./cluster-api.ts";
import { readNodeLines } from "./node-lines.ts";
import { GROUP_VERSION } from "../../plugin/kubernetes/objects.ts";

const COMMANDS: readonly (readonly string[])[] = [
  ["ip", "-o", "link"],
  ["ip", "rule"],
  ["ip", "route", "show", "table", "all"],
  ["ip", "neigh", "show", "nud", "permanent"],
  ["ip", "netns"],
  ["nft", "list", "tables"],
];

/** Returns the state that an incomplete DEL leaves on a node: links, neighbours, rules, routes, network namespaces. */
export function readNodeState(cluster: Cluster): Promise<readonly string[]> {
  return readNodeLines(cluster, COMMANDS, (line) => {
    const stable = removeVolatileFields(line);
    return isLinkLocal(stable) || isFelix(stable) || isBridge(stable) || isKubeProxyTable(stable) ? "" : stable;
  });
}

/** Whether a line is one of kube-proxy's tables, which it creates and deletes when its mode changes. */
function isKubeProxyTable(line: string): boolean {
  return /^table ip6? kube-proxy$/.test(line);
}

/** Whether a line is an IPv6 route that the kernel adds for every link that is up, after duplicate address detection. */
function isLinkLocal(line: string): boolean {
  return /^((local|anycast|multicast) )?(fe80:|ff00:)/.test(line);
}

/** Whether a line is a tunnel address or a route to another node's block, which felix adds at any time when a block is claimed. */
function isFelix(line: string): boolean {
  return / dev vxlan(-v6)?\.calico /.test(line);
}

/** Whether a line is the link or route of the reference plugin bridge, which adds them with a node's first pod and keeps them. */
function isBridge(line: string): boolean {
  return /^cni0$| dev cni0( |$)/.test(line);
}

/** Returns the line without fields that change by themselves: indices, states, queue lengths, Calico's route refreshes. */
function removeVolatileFields(line: string): string {
  const link = /^\d+: ([^:@]+)[@:]/.exec(line)?.[1];
  return link ?? line.replaceAll(/\s+/g, " ").trim();
}

const address = z.object({ spec: z.object({ pod: z.object({ namespace: z.string() }) }) });

/**
 * Returns the namespaces and Interlay's objects, such as addresses that a deleted pod left.
 * @param onlyNamespace namespace of the objects; undefined: every namespace. In a shared cluster others belong to other users.
 */
export async function listClusterObjects(api: ClusterApi, onlyNamespace?: string): Promise<readonly string[]> {
  const namespaces = await retryOnServerError(() => api.core.listNamespace());
  const addresses = await api.objects.list(GROUP_VERSION, "UnderlayAddress").then(
    ({ items }) => items,
    () => [],
  );
  return [
    ...namespaces.items
      .filter(({ metadata }) => onlyNamespace === undefined || metadata?.name === onlyNamespace)
      .map(({ metadata }) => `namespace ${metadata?.name ?? ""}`),
    ...addresses
      .filter(
        (object) => onlyNamespace === undefined || address.safeParse(object).data?.spec.pod.namespace === onlyNamespace,
      )
      .map(({ metadata }) => `UnderlayAddress ${metadata?.name ?? ""}`),
  ];
}
