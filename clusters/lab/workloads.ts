import { stringify } from "yaml";
import { applyKubeProxySettings } from "../environments/kube-proxy-settings.ts";
import { COREDNS_IMAGE, kubeProxyImage } from "../images/pod-images.ts";
import { configFor } from "../kubernetes/kube-proxy-config.ts";
import type { Kubectl } from "../kubernetes/kubectl.ts";
import { waitUntilReady } from "../kubernetes/ready.ts";
import { renderManifest, selectObject } from "../manifests/render.ts";
import type { ClusterSpec } from "../provider.ts";
import { joinFamilies, formatUrlHost } from "../spec.ts";
import { API_PORT } from "./control-plane.ts";
import { findDnsAddress, type LabFiles } from "./layout.ts";
import type { LabPlan } from "./plan.ts";

const WORKLOADS = [
  ["kube-system", "daemonset/calico-node"],
  ["kube-system", "daemonset/multus"],
  ["kube-system", "daemonset/kube-proxy"],
  ["kube-system", "deployment/calico-kube-controllers"],
  ["kube-system", "deployment/coredns"],
  ["interlay-system", "daemonset/interlay"],
] as const;

/** kube-proxy as a DaemonSet, as kubeadm has it: it finds the API server by its address, for it makes the Services. */
export async function installKubeProxy(kubectl: Kubectl, spec: ClusterSpec, plan: LabPlan): Promise<void> {
  const config = {
    apiVersion: "kubeproxy.config.k8s.io/v1alpha1",
    kind: "KubeProxyConfiguration",
    clientConnection: { kubeconfig: "/var/lib/kube-proxy/kubeconfig.conf" },
    clusterCIDR: joinFamilies(spec.overlayCidr, spec.ipv6?.overlayCidr),
    // The computer's own limit counts, and namespaces may not set it.
    conntrack: { maxPerCore: 0, tcpEstablishedTimeout: "0s", tcpCloseWaitTimeout: "0s" },
    metricsBindAddress: "127.0.0.1:10249",
  };
  const settings = spec.environment?.spec.kubeProxy;
  const text = configFor(applyKubeProxySettings(stringify(config), settings), spec.kubeProxy);
  const [controlPlane] = plan.machines.nodes;
  const manifest = await renderManifest("kube-proxy", {
    OVERLAY_CIDR: joinFamilies(spec.overlayCidr, spec.ipv6?.overlayCidr),
    SERVICE_CIDR: joinFamilies(spec.serviceCidr, spec.ipv6?.serviceCidr),
    CONFIG: text.trim().replaceAll("\n", "\n    "),
    API_SERVER: `https://${formatUrlHost(controlPlane?.address ?? "")}:${API_PORT}`,
    IMAGE: kubeProxyImage(spec.kubeProxy.version),
  });
  // kubeadm --skip-phases=addon/kube-proxy leaves its own ConfigMap, and nothing of kube-proxy's
  await kubectl.apply(settings?.installed === false ? selectObject(manifest, "kubeadm-config") : manifest);
}

/** Installs CoreDNS as kubeadm does: it finds the API server by its Service. */
export async function installCoreDns(kubectl: Kubectl, spec: ClusterSpec): Promise<void> {
  const values = { DNS_ADDRESS: findDnsAddress(spec), IMAGE: COREDNS_IMAGE };
  await kubectl.apply(await renderManifest("coredns", values));
}

export function ready(kubectl: Kubectl, spec: ClusterSpec, files: LabFiles): Promise<void> {
  const kubeProxy = spec.environment?.spec.kubeProxy?.installed !== false;
  const workloads = WORKLOADS.filter(([, name]) => kubeProxy || name !== "daemonset/kube-proxy");
  return waitUntilReady(kubectl, workloads, `see ${files.log} and ${files.directory}/logs`);
}
