import type { V1Pod } from "@kubernetes/client-node";

/** Domain of the cluster's DNS names: kubeadm's default. */
const CLUSTER_DOMAIN = "cluster.local";

/**
 * Returns the resolv.conf that kubelet writes for a pod, or undefined if the pod uses its node's file.
 * @param nameserver the cluster's DNS server (kubelet's `clusterDNS`)
 */
export function renderResolvConf({ metadata, spec }: V1Pod, nameserver: string): string | undefined {
  const policy = spec?.dnsPolicy ?? "ClusterFirst";
  const hostNetwork = spec?.hostNetwork === true;
  if (policy === "None") return renderLines(spec?.dnsConfig?.nameservers ?? [], spec?.dnsConfig?.searches ?? []);
  if (policy === "Default" || (policy === "ClusterFirst" && hostNetwork)) return undefined;
  const namespace = metadata?.namespace ?? "default";
  return renderLines([nameserver], [`${namespace}.svc.${CLUSTER_DOMAIN}`, `svc.${CLUSTER_DOMAIN}`, CLUSTER_DOMAIN]);
}

function renderLines(nameservers: readonly string[], searches: readonly string[]): string {
  return [
    ...(searches.length === 0 ? [] : [`search ${searches.join(" ")}`]),
    ...nameservers.map((address) => `nameserver ${address}`),
    "options ndots:5",
    "",
  ].join("\n");
}
