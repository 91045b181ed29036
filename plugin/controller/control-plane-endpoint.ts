import { parse } from "yaml";
import { z } from "zod";
import type { Occupant } from "../ipam/pool/occupied.ts";

const configuration = z.object({ controlPlaneEndpoint: z.string() });

/** Lists the host of kubeadm's controlPlaneEndpoint, often a virtual address that no Node has. */
export function listControlPlaneEndpoints(
  configMaps: readonly { readonly data: Readonly<Record<string, string>> }[],
): readonly Occupant[] {
  return configMaps.flatMap(({ data }) => {
    let parsed: unknown;
    try {
      parsed = parse(data["ClusterConfiguration"] ?? "");
    } catch {
      return [];
    }
    const result = configuration.safeParse(parsed);
    if (!result.success) return [];
    const address = result.data.controlPlaneEndpoint
      .replace(/^\[(.*)\](?::\d+)?$/, "$1")
      .replace(/^([^:]*):\d+$/, "$1");
    return [{ address, by: "controlPlaneEndpoint of kubeadm" }];
  });
}
