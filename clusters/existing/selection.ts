import type { ClusterInventory } from "./inventory.ts";
import type { ExistingOptions } from "./options.ts";

/** The NetworkAttachmentDefinition that Interlay's own UnderlayNetwork `underlay` becomes. */
export const OWN_NETWORK = "interlay-system/underlay";

/** Which network underlay links are made from: the one that was named, Interlay's, or the only one. Pure. */
export function chooseNetwork(
  { macvlans, interlay }: Pick<ClusterInventory, "macvlans" | "interlay">,
  { network, datapath }: Pick<ExistingOptions, "network" | "datapath">,
): string | undefined {
  if (network !== undefined) return network;
  if (datapath === "interlay" && (interlay === undefined || macvlans.includes(OWN_NETWORK))) return OWN_NETWORK;
  return macvlans.length === 1 ? macvlans[0] : undefined;
}

/** How the probe's image (and Interlay's) gets to the nodes. */
export type ImageSource =
  /** A lab: names stand for programs that its nodes have. */
  | { readonly kind: "lab" }
  /** Loaded into the containers that are this kind cluster's nodes, by the Docker of this computer. */
  | { readonly kind: "kind"; readonly cluster: string }
  /** The nodes pull it, or have it. */
  | { readonly kind: "named"; readonly probe: string }
  | { readonly kind: "unknown" };

export function chooseImageSource(
  nodes: readonly Pick<ClusterInventory["nodes"][number], "runtime" | "providerId">[],
  { image }: Pick<ExistingOptions, "image">,
): ImageSource {
  if (image !== undefined) return { kind: "named", probe: image };
  if (nodes.length > 0 && nodes.every(({ runtime }) => runtime.startsWith("interlay-lab://"))) return { kind: "lab" };
  const clusters = new Set(nodes.map(({ providerId }) => /^kind:\/\/[^/]+\/([^/]+)\//.exec(providerId)?.[1]));
  const [cluster] = clusters;
  return clusters.size === 1 && cluster !== undefined ? { kind: "kind", cluster } : { kind: "unknown" };
}

/** Selects the workers that get pods: Ready and schedulable, by name, at most `most`. Pure. */
export function chooseWorkers(nodes: ClusterInventory["nodes"], most: number): ClusterInventory["nodes"] {
  return nodes
    .filter(({ controlPlane, ready, schedulable }) => !controlPlane && ready && schedulable)
    .toSorted((a, b) => a.name.localeCompare(b.name, "en", { numeric: true }))
    .slice(0, most);
}
