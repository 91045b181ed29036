import { stringify } from "yaml";
import { getKubeadmTags } from "../images/pod-images.ts";
import { parseMinor } from "../spec/version-skew.ts";
import type { ClusterSpec } from "../spec/cluster-spec.ts";
import { joinRanges } from "../spec/address-ranges.ts";

/** Directory of a node with the shared images (images/store.ts). */
export const IMAGES_MOUNT = "/interlay/images";

/** First minor whose kubelet starts on cgroup v1 only with failCgroupV1: false (kubernetes/enhancements issue 5573). */
const FIRST_WITHOUT_CGROUP_V1 = 35;

/** Returns kind's configuration (kind.x-k8s.io/v1alpha4) for a cluster. */
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
      // switchKubeProxy sets nftables, which kind supports only from its beta on
      kubeProxyMode: "iptables",
    },
    kubeadmConfigPatches: [
      stringify({
        kind: "ClusterConfiguration",
        // No sync to disk: a test cluster's data need not survive a crash.
        etcd: { local: { imageTag: tags.etcd, extraArgs: { "unsafe-no-fsync": "true" } } },
        dns: { imageTag: tags.coredns },
      }),
      stringify({
        kind: "KubeletConfiguration",
        // Short periods: pods of a test live for seconds.
        nodeStatusUpdateFrequency: "2s",
        syncFrequency: "10s",
        serializeImagePulls: false,
        ...(parseMinor(spec.kubernetes) < FIRST_WITHOUT_CGROUP_V1 ? {} : { failCgroupV1: false }),
      }),
    ],
    nodes: [node("control-plane"), ...Array.from({ length: spec.workers }, () => node("worker"))],
  });
}
