import { stringify } from "yaml";
import { getKubeadmTags } from "../images/pod-images.ts";
import { parseMinor } from "../kubernetes/version-skew.ts";
import type { ClusterSpec } from "../provider.ts";
import { joinRanges } from "../spec.ts";

/** Where nodes find the shared images (images/store.ts). */
export const IMAGES_MOUNT = "/interlay/images";

/** From here on a kubelet does not start on cgroup v1 unless it is told to (kubernetes/enhancements issue 5573). */
const FIRST_AGAINST_CGROUP_V1 = 35;

/** kind's configuration (kind.x-k8s.io/v1alpha4) for `spec`. */
export function renderKindConfig(spec: ClusterSpec, nodeImage: string, imageStore: string): string {
  const node = (role: string) => ({
    role,
    image: nodeImage,
    extraMounts: [{ hostPath: imageStore, containerPath: IMAGES_MOUNT, readOnly: true }],
  });
  const tags = getKubeadmTags(spec.kubernetes);
  return stringify({
    kind: "Cluster",
    apiVersion: "kind.x-k8s.io/v1alpha4",
    name: spec.name,
    networking: {
      disableDefaultCNI: true,
      ipFamily: spec.ipv6 === undefined ? "ipv4" : "dual",
      podSubnet: joinRanges(spec.overlayCidr, spec.ipv6?.overlayCidr),
      serviceSubnet: joinRanges(spec.serviceCidr, spec.ipv6?.serviceCidr),
      apiServerAddress: "127.0.0.1",
      // nftables is set by switchKubeProxy: kind knows it only for versions that have it as beta
      kubeProxyMode: "iptables",
    },
    kubeadmConfigPatches: [
      stringify({
        kind: "ClusterConfiguration",
        // Nothing of a test cluster is worth waiting for the disk.
        etcd: { local: { imageTag: tags.etcd, extraArgs: { "unsafe-no-fsync": "true" } } },
        dns: { imageTag: tags.coredns },
      }),
      stringify({
        kind: "KubeletConfiguration",
        // Probes and status at once: pods of a test live for seconds.
        nodeStatusUpdateFrequency: "2s",
        syncFrequency: "10s",
        serializeImagePulls: false,
        ...(parseMinor(spec.kubernetes) < FIRST_AGAINST_CGROUP_V1 ? {} : { failCgroupV1: false }),
      }),
    ],
    nodes: [node("control-plane"), ...Array.from({ length: spec.workers }, () => node("worker"))],
  });
}
