import type { InventoryInterlay } from "./inventory/read-interlay.ts";
import type { InventoryNode } from "./inventory/read-nodes.ts";

/** Return path with which the suite installs Interlay. It is also the default of agents with the setting `auto`. */
export const DEFAULT_RETURN_PATH = "notrack";

/**
 * Returns the distinct return paths that the agents of nodes use. Pure.
 *
 * @param interlay `returnPaths` has the return path of each NodeState by node name; `setting` is used for other nodes
 */
export function listReturnPaths(
  { returnPaths, setting }: Pick<NonNullable<InventoryInterlay["interlay"]>, "returnPaths" | "setting">,
  nodes: readonly Pick<InventoryNode, "name">[],
): readonly string[] {
  const configured = setting === "auto" ? DEFAULT_RETURN_PATH : setting;
  return [...new Set(nodes.map(({ name }) => returnPaths.get(name) ?? configured))];
}
