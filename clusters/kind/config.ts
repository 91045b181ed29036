import { stringify } from "yaml";
import type { ClusterSpec } from "../provider.ts";
import { bothFamilies } from "../spec.ts";

/** Where nodes find the shared images (images/store.ts). */
export const IMAGES_MOUNT = "/interlay/images";

/** kind's configuration (kind.x-k8s.io/v1alpha4) for `spec`. */
export function kindConfig(spec: ClusterSpec, nodeImage: string, imageStore: string): string {
  const node = (role: string) => ({
    role,
    image: nodeImage,
    extraMounts: [{ hostPath: imageStore, containerPath: IMAGES_MOUNT, readOnly: true }],
  });
  return stringify({
    kind: "Cluster",
    apiVersion: "kind.x-k8s.io/v1alpha4",
    name: spec.name,
    networking: {
      disableDefaultCNI: true,
      ipFamily: spec.ipv6 === undefined ? "ipv4" : "dual",
      podSubnet: bothFamilies(spec.overlayCidr, spec.ipv6?.overlayCidr),
      serviceSubnet: bothFamilies(spec.serviceCidr, spec.ipv6?.serviceCidr),
      apiServerAddress: "127.0.0.1",
      // nftables is set by switchKubeProxy: kind knows it only for versions that have it as beta
      kubeProxyMode: "iptables",
    },
    kubeadmConfigPatches: [
      stringify({
        kind: "ClusterConfiguration",
        // Nothing of a test cluster is worth waiting for the disk.
        etcd: { local: { extraArgs: { "unsafe-no-fsync": "true" } } },
      }),
      stringify({
        kind: "KubeletConfiguration",
        // Probes and status at once: pods of a test live for seconds.
        nodeStatusUpdateFrequency: "2s",
        syncFrequency: "10s",
        serializeImagePulls: false,
      }),
    ],
    nodes: [node("control-plane"), ...Array.from({ length: spec.workers }, () => node("worker"))],
  });
}
