import type { Cluster } from "../../clusters/provider/provider.ts";
import { hasCapability } from "../../clusters/provider/capabilities.ts";
import { retryOnServerError, type ClusterApi } from "../support/cluster-api.ts";
import { type Features, NO_FEATURES } from "../cells/features.ts";

/** Returns the features of a cluster. Features that need attacks are only those of clusters that the suite created with Interlay. */
export async function findFeatures(cluster: Cluster, api: ClusterApi): Promise<Features> {
  const dns = await hasDns(api);
  const { externalTarget: target } = cluster;
  const externalTarget = target === undefined ? undefined : target.port === undefined ? "icmp" : "tcp";
  if (!hasCapability(cluster.provider, "attack") || cluster.datapath === "none")
    return { ...NO_FEATURES, dns, externalTarget };
  return {
    dns,
    vips: cluster.spec.environment?.spec.loadBalancer === true,
    // The overlays of the suite and Interlay's own network have the plugin portmap.
    hostPorts: true,
    sourceGuard: true,
    forwardDrop: dropsForwarded(cluster.spec),
  };
}

/** Whether the cluster has the DNS Service that kubelet names in every pod's resolv.conf, with a server behind it. */
async function hasDns(api: ClusterApi): Promise<boolean> {
  const { items } = await retryOnServerError(() =>
    api.core.listNamespacedEndpoints({ namespace: "kube-system", fieldSelector: "metadata.name=kube-dns" }),
  );
  return items.some(({ subsets = [] }) => subsets.some(({ addresses = [] }) => addresses.length > 0));
}

/** Whether the environment makes the nodes' FORWARD chain drop packets that no rule accepts. */
function dropsForwarded({ environment }: Pick<Cluster["spec"], "environment">): boolean {
  const drops = (argv: readonly string[]) => /^-P FORWARD DROP$|^-A FORWARD -j REJECT$/.test(argv.join(" "));
  return environment?.spec.nodes?.iptables?.some(drops) ?? false;
}
