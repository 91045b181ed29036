import { stringify } from "yaml";
import type { EnvironmentSpec } from "../spec/environment-spec.ts";
import { applyKubeProxySettings } from "../environments/kube-proxy-settings.ts";
import { COREDNS_IMAGE, formatKubeProxyImage, NODE_CACHE_IMAGE } from "../images/pod-images.ts";
import { adaptConfig } from "../kubernetes/kube-proxy-config.ts";
import type { Kubectl } from "../kubernetes/kubectl.ts";
import { waitUntilReady } from "../kubernetes/wait-until-ready.ts";
import { renderManifest, selectObject } from "../manifests/render-manifest.ts";
import type { ClusterSpec } from "../spec/cluster-spec.ts";
import { joinRanges, formatUrlHost } from "../spec/address-ranges.ts";
import { API_PORT } from "./control-plane/identities.ts";
import type { LabFiles } from "./plan/lab-files.ts";
import { findDnsAddress } from "./machines/machine-addresses.ts";
import type { LabPlan } from "./plan/lab-plan.ts";

type Workload = readonly [namespace: string, name: string];

/** Returns the workloads of a lab. */
export function listWorkloads({ kubeProxy, overlay, multus, nodeLocalDns }: EnvironmentSpec = {}): readonly Workload[] {
  const calico = ["daemonset/calico-node", "deployment/calico-kube-controllers"] as const;
  return [
    ...(overlay === undefined ? calico.map((name): Workload => ["kube-system", name]) : []),
    ...(overlay?.kind === "flannel" ? ([["kube-flannel", "daemonset/kube-flannel-ds"]] as const) : []),
    ["kube-system", multus === "thick" ? "daemonset/kube-multus-ds" : "daemonset/multus"],
    ...(kubeProxy?.installed === false ? [] : ([["kube-system", "daemonset/kube-proxy"]] as const)),
    ["kube-system", "deployment/coredns"],
    ...(nodeLocalDns === undefined ? [] : ([["kube-system", "daemonset/node-local-dns"]] as const)),
    ["interlay-system", "daemonset/interlay"],
    ["interlay-system", "deployment/interlay-controller"],
  ];
}

/** Installs kube-proxy as a DaemonSet, as kubeadm does. It uses the API server's own address: no Service works before it. */
export async function installKubeProxy(kubectl: Kubectl, spec: ClusterSpec, plan: LabPlan): Promise<void> {
  const config = {
    apiVersion: "kubeproxy.config.k8s.io/v1alpha1",
    kind: "KubeProxyConfiguration",
    clientConnection: { kubeconfig: "/var/lib/kube-proxy/kubeconfig.conf" },
    clusterCIDR: joinRanges(spec.overlayCidr, spec.ipv6?.overlayCidr),
    // Network namespaces cannot set conntrack's limits; the host's apply.
    conntrack: { maxPerCore: 0, tcpEstablishedTimeout: "0s", tcpCloseWaitTimeout: "0s" },
    metricsBindAddress: "127.0.0.1:10249",
  };
  const settings = spec.environment?.spec.kubeProxy;
  const text = adaptConfig(applyKubeProxySettings(stringify(config), settings), spec.kubeProxy);
  const [controlPlane] = plan.machines.nodes;
  const manifest = await renderManifest("kube-proxy", {
    OVERLAY_CIDR: joinRanges(spec.overlayCidr, spec.ipv6?.overlayCidr),
    SERVICE_CIDR: joinRanges(spec.serviceCidr, spec.ipv6?.serviceCidr),
    CONFIG: text.trim().replaceAll("\n", "\n    "),
    API_SERVER: `https://${formatUrlHost(controlPlane?.address ?? "")}:${API_PORT}`,
    IMAGE: formatKubeProxyImage(spec.kubeProxy.version),
  });
  // kubeadm --skip-phases=addon/kube-proxy creates only its own ConfigMap.
  await kubectl.apply(settings?.installed === false ? selectObject(manifest, "kubeadm-config") : manifest);
}

/** Installs CoreDNS as kubeadm does, and a DNS cache on every node if the environment has one. */
export async function installDns(kubectl: Kubectl, spec: ClusterSpec): Promise<void> {
  const dnsAddress = findDnsAddress(spec);
  await kubectl.apply(await renderManifest("coredns", { DNS_ADDRESS: dnsAddress, IMAGE: COREDNS_IMAGE }));
  const cache = spec.environment?.spec.nodeLocalDns;
  if (cache !== undefined)
    await kubectl.apply(
      await renderManifest("node-local-dns", { ADDRESS: cache, DNS_ADDRESS: dnsAddress, IMAGE: NODE_CACHE_IMAGE }),
    );
}

/** Waits until every node is Ready, every pod of the workloads is ready, and flannel has configured every node. */
export async function waitForWorkloads(kubectl: Kubectl, spec: ClusterSpec, files: LabFiles): Promise<void> {
  const environment = spec.environment?.spec;
  await waitUntilReady(kubectl, listWorkloads(environment), `see ${files.log} and ${files.directory}/logs`);
  // flannel's pods have no readiness probe; this condition follows its link.
  if (environment?.overlay?.kind === "flannel")
    await kubectl.run(["wait", "--for=condition=NetworkUnavailable=False", "nodes", "--all", "--timeout=60s"]);
}
