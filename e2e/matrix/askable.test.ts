import assert from "node:assert/strict";
import { askable, type Ground, notAskedBecause } from "./askable.ts";
import { cells, type Features, GROUPS, NO_FEATURES } from "./cells.ts";

const EVERYTHING: Features = { dns: true, vips: true, hostPorts: true, sourceGuard: true, forwardDrop: true };
const all = cells(2, ["ipv4"], EVERYTHING);
const listGroups = (ground: Ground) =>
  new Set(askable(cells(2, ["ipv4"], ground.features), ground).map(({ group }) => group));

describe("what can be asked in a cluster", () => {
  it("is everything where there are nodes to enter and a host outside", () => {
    assert.deepEqual(askable(all, { podTrafficKnown: true, outside: true, features: EVERYTHING }), all);
  });

  const grounds: readonly Ground[] = [
    { podTrafficKnown: true, outside: true, features: EVERYTHING },
    { podTrafficKnown: true, outside: true, features: NO_FEATURES },
    { podTrafficKnown: true, outside: true, features: { ...NO_FEATURES, forwardDrop: true } },
    { podTrafficKnown: false, outside: false, nodeAccess: "network", features: EVERYTHING },
    { podTrafficKnown: false, outside: false, nodeAccess: "none", features: NO_FEATURES },
  ];
  for (const ground of grounds)
    it(`is for each group some cells, or a reason: ${JSON.stringify(ground)}`, () => {
      const asked = listGroups(ground);
      for (const group of GROUPS) assert.equal(asked.has(group), notAskedBecause(group, ground) === undefined, group);
    });
});
