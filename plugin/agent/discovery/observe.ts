import type { ClusterView } from "../cluster-view.ts";
import type { Observations } from "./discover.ts";
import { CONFIG_MAP, SYSTEM_NAMESPACE } from "../objects.ts";

/** What the cluster says, in the words of its objects; the mirrors are read, nobody is asked. */
export function observeCluster(view: ClusterView, nodeName: string): Omit<Observations, "links" | "defaultLinks"> {
  const served = view.serviceCidrs.find((mirror) => mirror.state === "known");
  return {
    nodeName,
    nodeAddresses: (view.node.get(nodeName)?.status.addresses ?? [])
      .filter(({ type }) => type === "InternalIP")
      .map(({ address }) => address),
    // A disabled pool with pods in it still counts, so all do.
    calicoPools:
      view.calicoPools.state === "known" ? view.calicoPools.values().map(({ spec }) => spec.cidr) : undefined,
    calicoBlocks: view.calicoBlocks.values().map(({ spec }) => spec.cidr),
    cilium: view.cilium.get("kube-system/cilium-config")?.data,
    kubeadm: view.kubeadm.get("kube-system/kubeadm-config")?.data["ClusterConfiguration"],
    kubeProxyConfig: view.kubeProxyConfig.get("kube-system/kube-proxy")?.data["config.conf"],
    serviceCidrObjects: served
      ?.values()
      .flatMap(({ spec }) => spec.cidrs ?? [spec.ipv4 ?? "", spec.ipv6 ?? ""].filter((cidr) => cidr !== "")),
    controlPlaneArguments: view.controlPlane
      .values()
      .flatMap(({ spec }) => spec.containers.flatMap(({ command, args }) => [...command, ...args])),
    settings: settingsOf(view),
  };
}

/** The version at which the settings were read; empty while there are none. */
export function settingsVersion(view: ClusterView): string {
  return view.settings.get(`${SYSTEM_NAMESPACE}/${CONFIG_MAP}`)?.metadata.resourceVersion ?? "";
}

export function settingsOf(view: ClusterView): Readonly<Record<string, string>> {
  return view.settings.get(`${SYSTEM_NAMESPACE}/${CONFIG_MAP}`)?.data ?? {};
}
