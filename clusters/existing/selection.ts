import type { ClusterInventory } from "./inventory/inventory.ts";
import type { InventoryNode } from "./inventory/read-nodes.ts";
import type { ExistingOptions } from "./existing-options.ts";

/** NetworkAttachmentDefinition of the UnderlayNetwork `underlay`. */
export const OWN_NETWORK = "interlay-system/underlay";

/** Returns the network of underlay links: the named one, Interlay's, or the only one; undefined if it is ambiguous. Pure. */
export function chooseNetwork(
  { macvlans, interlay }: Pick<ClusterInventory, "macvlans" | "interlay">,
  { network, datapath }: Pick<ExistingOptions, "network" | "datapath">,
): string | undefined {
  if (network !== undefined) return network;
  if (datapath === "interlay" && (interlay === undefined || macvlans.includes(OWN_NETWORK))) return OWN_NETWORK;
  return macvlans.length === 1 ? macvlans[0] : undefined;
}

/** How nodes get the images of the probe and of Interlay. */
export type ImageSource =
  /** The nodes are those of a lab, which have the programs and need no images. */
  | { readonly kind: "lab" }
  /** The nodes are containers of a kind cluster on this computer; the images are loaded into them. */
  | { readonly kind: "kind"; readonly cluster: string }
  /** The nodes pull a named image, or have it. */
  | { readonly kind: "named"; readonly probe: string }
  | { readonly kind: "unknown" };

/** Returns how nodes get the images. Pure. @param nodes those that get pods: others, such as simulated ones, need no images */
export function chooseImageSource(
  nodes: readonly Pick<InventoryNode, "runtime" | "providerId">[],
  { image }: Pick<ExistingOptions, "image">,
): ImageSource {
  if (image !== undefined) return { kind: "named", probe: image };
  if (nodes.length > 0 && nodes.every(({ runtime }) => runtime.startsWith("interlay-lab://"))) return { kind: "lab" };
  const clusters = new Set(nodes.map(({ providerId }) => /^kind:\/\/[^/]+\/([^/]+)\//.exec(providerId)?.[1]));
  const [cluster] = clusters;
  return clusters.size === 1 && cluster !== undefined ? { kind: "kind", cluster } : { kind: "unknown" };
}
