import assert from "node:assert/strict";
import { type PoolConsumer, selectPools, type Pool } from "./select-pools.ts";
import { parsePoolSpaces } from "./address-space.ts";

const pool = (name: string, third: number, over: Partial<Pool> = {}): Pool => ({
  name,
  created: "2026-01-01T00:00:00Z",
  spaces: parsePoolSpaces({ subnet: "10.7.0.0/16", ranges: [`10.7.${third}.0/24`], excluded: [], reserved: [] }),
  routes: [],
  priority: 100,
  reservePerNode: 0,
  ...over,
});
const ASKER: PoolConsumer = {
  nodeLabels: { rack: "a" },
  namespaceLabels: { team: "red" },
  podLabels: { app: "web" },
  pools: [],
};

describe("selectPools", () => {
  const pools = [
    pool("everybody", 1),
    pool("rack-a", 2, { nodeLabels: { rack: "a" } }),
    pool("rack-b", 3, { nodeLabels: { rack: "b" } }),
    pool("team-blue", 4, { namespaceLabels: { team: "blue" } }),
    pool("database", 5, { podLabels: { app: "database" } }),
    pool("web", 6, { podLabels: { app: "web" }, priority: 200 }),
  ];
  for (const [title, named, expected] of [
    ["are those whose selectors select it, the more selective first", [], ["rack-a", "web", "everybody"]],
    ["are of the pools that its network names those that select its node", ["rack-b", "rack-a"], ["rack-a"]],
    ["are none if its network names only a pool for another namespace", ["team-blue"], []],
    ["are none if its network names only a pool for other pods", ["database"], []],
    ["have the order of its network's list", ["everybody", "web"], ["everybody", "web"]],
    ["are none if its network names none that exists", ["absent"], []],
  ] as const)
    it(title, () => {
      const names = selectPools(pools, { ...ASKER, pools: named }).map(({ name }) => name);
      assert.deepEqual(names, expected);
    });
});
