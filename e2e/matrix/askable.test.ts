import assert from "node:assert/strict";
import { askable, type Ground, notAskedBecause } from "./askable.ts";
import { cells, GROUPS } from "./cells.ts";

const all = cells(2);
const groupsOf = (ground: Ground) => new Set(askable(all, ground).map(({ group }) => group));

describe("what can be asked in a cluster", () => {
  it("is everything where there are nodes to enter and a host outside", () => {
    assert.deepEqual(askable(all, { outside: true }), all);
  });

  const grounds: readonly Ground[] = [
    { outside: true },
    { outside: false, nodeAccess: "network" },
    { outside: false, nodeAccess: "none" },
  ];
  for (const ground of grounds)
    it(`is for each group some cells, or a reason: ${JSON.stringify(ground)}`, () => {
      const asked = groupsOf(ground);
      for (const group of GROUPS) assert.equal(asked.has(group), notAskedBecause(group, ground) === undefined, group);
    });

  it("asserts no source address of a solution that is not Interlay", () => {
    const judged = askable(all, { outside: true, datapath: "none" });
    assert.equal(judged.length, all.length);
    assert.ok(judged.every(({ keepsSource }) => keepsSource === undefined));
  });
});
