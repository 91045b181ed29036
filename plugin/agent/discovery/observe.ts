import type { z } from "zod";
import type { ClusterCache } from "./cluster-cache.ts";
import { CONFIG_MAP, type nodeObject, SYSTEM_NAMESPACE } from "../../kubernetes/objects.ts";
import type { Observations, ObservedNode } from "./observations.ts";
import { findServiceAddresses } from "./service-addresses.ts";

const API_SERVER = "default/kubernetes";

/** Reads what the cluster says from the informers, in the words of its objects; the API server is not asked. */
export function observeClusterCache(
  view: ClusterCache,
  nodeName: string,
): Omit<Observations, "links" | "defaultLinks"> {
  const served = view.serviceCidrs.find((informer) => informer.state === "known");
  const node = view.node.get(nodeName);
  return {
    nodeName,
    nodeAddresses: listAddresses(node, ["InternalIP"]),
    kubeletVersion: node?.status.nodeInfo.kubeletVersion ?? "",
    distributionArguments: node === undefined ? [] : observeNodeObject(node).distributionArguments,
    nodes: view.allNodes.values().map(observeNodeObject),
    calicoPools: view.calicoPools.state === "known" ? view.calicoPools.values().map(({ spec }) => spec) : undefined,
    calicoBlocks: view.calicoBlocks.values().map(({ spec }) => spec.cidr),
    cilium: view.cilium.get("kube-system/cilium-config")?.data,
    flannel: [...view.flannel.values(), ...view.canal.values()].flatMap(({ data }) => data["net-conf.json"] ?? []),
    kubeadm: view.kubeadm.get("kube-system/kubeadm-config")?.data["ClusterConfiguration"],
    kubeProxyConfig: view.kubeProxyConfig.get("kube-system/kube-proxy")?.data["config.conf"],
    serviceCidrObjects: served
      ?.values()
      .flatMap(({ spec }) => spec.cidrs ?? [spec.ipv4 ?? "", spec.ipv6 ?? ""].filter((cidr) => cidr !== "")),
    apiServerAddresses: view.services.get(API_SERVER)?.spec.clusterIPs ?? [],
    serviceAddresses: findServiceAddresses(view.services.values(), view.pods.values()),
    controlPlaneArguments: view.controlPlane
      .values()
      .flatMap(({ spec }) => spec.containers.flatMap(({ command, args }) => [...command, ...args])),
    underlayPools: view.underlayPools.values().map(({ metadata, spec }) => ({
      name: metadata.name,
      subnet: spec.subnet,
      ranges: spec.ranges,
      gateway: spec.gateway,
    })),
    settings: readSettings(view),
  };
}

/** Reads a Node's part of the facts; the arguments of k3s and RKE2 are JSON in an annotation. */
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
export function readSettingsVersion(view: ClusterCache): string {
  return view.settings.get(`${SYSTEM_NAMESPACE}/${CONFIG_MAP}`)?.metadata.resourceVersion ?? "";
}

export function readSettings(view: ClusterCache): Readonly<Record<string, string>> {
  return view.settings.get(`${SYSTEM_NAMESPACE}/${CONFIG_MAP}`)?.data ?? {};
}
