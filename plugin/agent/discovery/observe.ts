import type { z } from "zod";
import type { ClusterCache } from "./cluster-cache.ts";
import { CONFIG_MAP, type nodeObject, SYSTEM_NAMESPACE } from "../../kubernetes/objects.ts";
import type { Observations, ObservedNode } from "./observations.ts";
import { findServiceAddresses } from "./service-addresses.ts";

const API_SERVER = "default/kubernetes";

/** Reads the observations of the cluster from informers, unparsed. Sends no request to the API server. */
export function observeClusterCache(
  cache: ClusterCache,
  nodeName: string,
): Omit<Observations, "links" | "defaultLinks"> {
  const serviceCidrs = cache.serviceCidrs.find((informer) => informer.state === "known");
  const node = cache.node.get(nodeName);
  return {
    nodeName,
    nodeAddresses: listAddresses(node, ["InternalIP"]),
    kubeletVersion: node?.status.nodeInfo.kubeletVersion ?? "",
    distributionArguments: node === undefined ? [] : observeNodeObject(node).distributionArguments,
    nodes: cache.allNodes.values().map(observeNodeObject),
    calicoPools: cache.calicoPools.state === "known" ? cache.calicoPools.values().map(({ spec }) => spec) : undefined,
    calicoBlocks: cache.calicoBlocks.values().map(({ spec }) => spec.cidr),
    cilium: cache.cilium.get("kube-system/cilium-config")?.data,
    flannel: [...cache.flannel.values(), ...cache.canal.values()].flatMap(({ data }) => data["net-conf.json"] ?? []),
    kubeadm: cache.kubeadm.get("kube-system/kubeadm-config")?.data["ClusterConfiguration"],
    kubeProxyConfig: cache.kubeProxyConfig.get("kube-system/kube-proxy")?.data["config.conf"],
    serviceCidrObjects: serviceCidrs
      ?.values()
      .flatMap(({ spec }) => spec.cidrs ?? [spec.ipv4 ?? "", spec.ipv6 ?? ""].filter((cidr) => cidr !== "")),
    apiServerAddresses: cache.services.get(API_SERVER)?.spec.clusterIPs ?? [],
    serviceAddresses: findServiceAddresses(cache.services.values(), cache.pods.values()),
    controlPlaneArguments: cache.controlPlane
      .values()
      .flatMap(({ spec }) => spec.containers.flatMap(({ command, args }) => [...command, ...args])),
    underlayPools: cache.underlayPools.values().map(({ metadata, spec }) => ({
      name: metadata.name,
      subnet: spec.subnet,
      ranges: spec.ranges,
      gateway: spec.gateway,
    })),
    settings: readSettings(cache),
  };
}

/** Reads the observations of a Node object; the arguments of k3s and RKE2 are JSON in an annotation. */
export function observeNodeObject(node: z.infer<typeof nodeObject>): ObservedNode {
  const { metadata, spec } = node;
  const annotations = ["k3s.io/node-args", "rke2.io/node-args"].flatMap((key) => metadata.annotations[key] ?? []);
  return {
    name: metadata.name,
    addresses: listAddresses(node, ["InternalIP", "ExternalIP"]),
    podCidrs: spec.podCIDRs,
    distributionArguments: annotations.flatMap((text) => {
      try {
        const parsed: unknown = JSON.parse(text);
        return Array.isArray(parsed) ? parsed.map(String) : [];
      } catch {
        return [];
      }
    }),
  };
}

function listAddresses(node: z.infer<typeof nodeObject> | undefined, types: readonly string[]): readonly string[] {
  return (node?.status.addresses ?? []).filter(({ type }) => types.includes(type)).map(({ address }) => address);
}

/** Reads the resourceVersion of the settings; empty if they do not exist. */
export function readSettingsVersion(cache: ClusterCache): string {
  return cache.settings.get(`${SYSTEM_NAMESPACE}/${CONFIG_MAP}`)?.metadata.resourceVersion ?? "";
}

/** Reads the data of ConfigMap interlay-config; empty if it does not exist. */
export function readSettings(cache: ClusterCache): Readonly<Record<string, string>> {
  return cache.settings.get(`${SYSTEM_NAMESPACE}/${CONFIG_MAP}`)?.data ?? {};
}
