import type { InventoryInterlay } from "./inventory/read-interlay.ts";
import type { InventoryNode } from "./inventory/read-nodes.ts";

/** The return path of an installation that the run makes, and that agents with the setting `auto` choose by default. */
export const DEFAULT_RETURN_PATH = "notrack";

/**
 * Returns the return paths that the agents of nodes use, each once. NodeState says which one an agent has chosen; the setting
 * counts only for a node without a NodeState. Pure.
 */
export function listReturnPaths(
  { returnPaths, setting }: Pick<NonNullable<InventoryInterlay["interlay"]>, "returnPaths" | "setting">,
  nodes: readonly Pick<InventoryNode, "name">[],
): readonly string[] {
  const configured = setting === "auto" ? DEFAULT_RETURN_PATH : setting;
  return [...new Set(nodes.map(({ name }) => returnPaths.get(name) ?? configured))];
}
