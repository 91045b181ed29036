import { z } from "zod";
import { type Cidr, containsIp, type Ip, parseCidr } from "../../datapath/address.ts";
import { readYaml, splitWords } from "./network-sources.ts";

const detection = z.object({ clusterCIDR: z.string().optional(), detectLocalMode: z.string().optional() });

/**
 * Returns the networks whose source addresses kube-proxy takes for pods; empty if it detects pods by another property
 * (`detectLocalMode`), or not at all. Pure.
 * @param config YAML text of the KubeProxyConfiguration; an invalid text counts as empty
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
 * Returns the first network that contains an address of the nodes: with it kube-proxy takes clients on the
 * underlay for pods. Pure.
 */
export function findNetworkOverUnderlay(podNetworks: readonly Cidr[], nodeAddresses: readonly Ip[]): Cidr | undefined {
  return podNetworks.find((network) => nodeAddresses.some((address) => containsIp(network, address)));
}
