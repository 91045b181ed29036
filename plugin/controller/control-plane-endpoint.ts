import { parse } from "yaml";
import { z } from "zod";
import type { Occupant } from "../ipam/pool/occupied.ts";

const configuration = z.object({ controlPlaneEndpoint: z.string() });

/** Lists the address of kubeadm's controlPlaneEndpoint, often a virtual address that no Node has. A host name has none. */
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
    const found = configuration.safeParse(parsed);
    if (!found.success) return [];
    const address = found.data.controlPlaneEndpoint.replace(/^\[(.*)\](?::\d+)?$/, "$1").replace(/^([^:]*):\d+$/, "$1");
    return [{ address, by: "controlPlaneEndpoint of kubeadm" }];
  });
}
