import { z } from "zod";
import { type Cidr, containsIp, type Ip, parseCidr } from "../../datapath/address.ts";
import { readYaml, splitWords } from "./network-sources.ts";

const detection = z.object({ clusterCIDR: z.string().optional(), detectLocalMode: z.string().optional() });

/**
 * Returns the networks by whose source addresses kube-proxy recognises connections of pods; none where it recognises
 * them by another property (`detectLocalMode`), or not at all. Pure.
 * @param config KubeProxyConfiguration, YAML; what cannot be read counts as none
 */
export function readPodNetworks(config: string | undefined): readonly Cidr[] {
  const parsed = detection.safeParse(readYaml("kube-proxy's config.conf", config, () => undefined));
  const { clusterCIDR, detectLocalMode = "" } = parsed.data ?? {};
  if (detectLocalMode !== "" && detectLocalMode !== "ClusterCIDR") return [];
  return splitWords(clusterCIDR).flatMap((word) => {
    try {
      return [parseCidr(word)];
    } catch {
      return [];
    }
  });
}

/**
 * Returns the first network that contains one of the nodes' own addresses: kube-proxy takes clients from the
 * underlay for a pod. Pure.
 */
export function findNetworkOverUnderlay(podNetworks: readonly Cidr[], nodeAddresses: readonly Ip[]): Cidr | undefined {
  return podNetworks.find((network) => nodeAddresses.some((address) => containsIp(network, address)));
}
