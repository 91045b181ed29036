import assert from "node:assert/strict";
import { type PoolConsumer, type PoolSelection, selectPools, type Pool } from "./select-pools.ts";
import { labelSelector } from "../../kubernetes/label-selector.ts";
import { parsePoolSpaces } from "./address-space.ts";

const labels = (matchLabels: Readonly<Record<string, string>>) => labelSelector.parse({ matchLabels });
const pool = (
  name: string,
  third: number,
  selection: Partial<PoolSelection> = {},
  over: Partial<Omit<Pool, "selection">> = {},
): Pool => ({
  name,
  created: "2026-01-01T00:00:00Z",
  spaces: parsePoolSpaces({ subnet: "10.7.0.0/16", ranges: [`10.7.${third}.0/24`], excluded: [], reserved: [] }),
  routes: [],
  priority: 100,
  reservePerNode: 0,
  disabled: false,
  isDefault: false,
  reservations: [],
  selection: { nodeNames: [], namespaceNames: [], networks: [], ...selection },
  ...over,
});
const CONSUMER: PoolConsumer = {
  node: { name: "n1", labels: { rack: "a" } },
  namespace: { name: "shop", labels: { team: "red" } },
  podLabels: { app: "web" },
  network: "underlay",
  networkPools: [],
  preferredPools: [],
};
const select = (pools: readonly Pool[], consumer: Partial<PoolConsumer> = {}): readonly string[] =>
  selectPools(pools, { ...CONSUMER, ...consumer }).map(({ name }) => name);

describe("selectPools", () => {
  const pools = [
    pool("everybody", 1),
    pool("rack-a", 2, { nodes: labels({ rack: "a" }) }),
    pool("rack-b", 3, { nodes: labels({ rack: "b" }) }),
    pool("team-blue", 4, { namespaces: labels({ team: "blue" }) }),
    pool("database", 5, { pods: labels({ app: "database" }) }),
    pool("web", 6, { pods: labels({ app: "web" }) }, { priority: 200 }),
  ];
  for (const [title, networkPools, expected] of [
    ["selects pools by their selectors, the more selective first", [], ["rack-a", "web", "everybody"]],
    ["selects only the pools of the network's list that select the node", ["rack-b", "rack-a"], ["rack-a"]],
    ["selects nothing if the network names only a pool for another namespace", ["team-blue"], []],
    ["selects nothing if the network names only a pool for other pods", ["database"], []],
    ["keeps the order of the network's list", ["everybody", "web"], ["everybody", "web"]],
    ["selects nothing if the network names no pool that exists", ["absent"], []],
    ["accepts wildcards in the network's list", ["rack-*", "w*b"], ["rack-a", "web"]],
  ] as const)
    it(title, () => {
      assert.deepEqual(select(pools, { networkPools }), expected);
    });

  for (const [title, preferredPools, networkPools, expected] of [
    ["selects the pools that the pod names, in their order", ["web", "rack-*"], [], ["web", "rack-a"]],
    ["never selects a pool outside the network's list because the pod names it", ["web"], ["rack-a"], []],
    ["orders by the pod's list before the network's", ["web", "rack-a"], ["rack-a", "web"], ["web", "rack-a"]],
    ["applies selectors to the pools that the pod names", ["rack-b", "team-blue"], [], []],
  ] as const)
    it(title, () => {
      assert.deepEqual(select(pools, { networkPools, preferredPools }), expected);
    });

  it("selects by names of nodes, namespaces and networks", () => {
    const named = [
      pool("n1", 1, { nodeNames: ["n1"] }),
      pool("n2", 2, { nodeNames: ["n2"] }),
      pool("shop", 3, { namespaceNames: ["shop"] }),
      pool("blog", 4, { namespaceNames: ["blog"] }),
      pool("underlay", 5, { networks: ["under*"] }),
      pool("storage", 6, { networks: ["storage"] }),
    ];
    assert.deepEqual(select(named), ["n1", "shop", "underlay"]);
    assert.deepEqual(select(named, { networkPools: ["storage"] }), []);
  });

  it("requires every part of a pool's selection", () => {
    const both = [pool("both", 1, { nodeNames: ["n1"], nodes: labels({ rack: "b" }) })];
    assert.deepEqual(select(both), []);
  });

  it("selects only default pools for a network without a list, if there are some", () => {
    const some = [pool("general", 1, {}, { isDefault: true }), pool("tenant", 2)];
    assert.deepEqual(select(some), ["general"]);
    assert.deepEqual(select(some, { networkPools: ["tenant"] }), ["tenant"]);
    assert.deepEqual(select(some, { preferredPools: ["tenant"] }), ["tenant"]);
  });

  it("selects no pool if the default pools do not select the pod", () => {
    const some = [pool("general", 1, { nodeNames: ["n2"] }, { isDefault: true }), pool("tenant", 2)];
    assert.deepEqual(select(some), []);
  });

  it("selects no disabled pool, even if it is named", () => {
    const some = [pool("old", 1, {}, { disabled: true }), pool("new", 2)];
    assert.deepEqual(select(some), ["new"]);
    assert.deepEqual(select(some, { networkPools: ["old", "new"] }), ["new"]);
  });
});
