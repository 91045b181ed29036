/** Tables and rule priorities; a network's configuration can change them. */
export interface RoutingIds {
  /** The node's table with routes to addresses behind another plugin's link. */
  readonly hostRouteTable: number;
  /** The node's rule that selects this table. */
  readonly hostRulePriority: number;
  /** The pod's rules by source address. */
  readonly podRulePriority: number;
  /** The pod's rule for replies to packets that arrived by veth0. */
  readonly podMarkPriority: number;
}

/**
 * Default tables and priorities. The node's routes to addresses behind another plugin's link are not in the main table, because
 * felix removes there at each resync every route by `cali…` that it did not create (RemoveExternalRoutes, its default).
 */
export const DEFAULT_ROUTING_IDS: RoutingIds = {
  hostRouteTable: 500,
  hostRulePriority: 1000,
  podRulePriority: 1000,
  podMarkPriority: 500,
};
