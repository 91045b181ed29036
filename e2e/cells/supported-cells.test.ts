import assert from "node:assert/strict";
import { findEnvironment } from "../../clusters/environments/registry.ts";
import { listSupportedCells, type ClusterCapabilities, explainUnsupportedGroup } from "./supported-cells.ts";
import { listMatrixCells } from "./matrix-cells.ts";
import { GROUPS } from "./cell.ts";
import { type Features, NO_FEATURES } from "./features.ts";

const EVERYTHING: Features = {
  dns: true,
  vips: true,
  hostPorts: true,
  sourceGuard: true,
  forwardDrop: true,
  externalTarget: "tcp",
};
const all = listMatrixCells(2, ["ipv4"], EVERYTHING);
const listGroups = (capabilities: ClusterCapabilities) =>
  new Set(
    listSupportedCells(listMatrixCells(2, ["ipv4"], capabilities.features), capabilities).map(({ group }) => group),
  );

describe("what can be asked in a cluster", () => {
  it("returns every cell if nodes are accessible and an external host exists", () => {
    assert.deepEqual(listSupportedCells(all, { podTrafficKnown: true, outside: true, features: EVERYTHING }), all);
  });

  const grounds: readonly ClusterCapabilities[] = [
    { podTrafficKnown: true, outside: true, features: EVERYTHING },
    { podTrafficKnown: true, outside: true, features: NO_FEATURES },
    { podTrafficKnown: true, outside: true, features: { ...NO_FEATURES, forwardDrop: true } },
    { podTrafficKnown: false, outside: false, nodeAccess: "network", features: EVERYTHING },
    { podTrafficKnown: false, outside: false, nodeAccess: "none", features: NO_FEATURES },
  ];
  for (const capabilities of grounds)
    it(`is for each group some cells, or a reason: ${JSON.stringify(capabilities)}`, () => {
      const groups = listGroups(capabilities);
      for (const group of GROUPS)
        assert.equal(groups.has(group), explainUnsupportedGroup(group, capabilities) === undefined, group);
    });

  it("leaves out cells with an undecided result, and returns the reason for their group", () => {
    const { undecided } = findEnvironment("cluster-cidr-covers-underlay");
    const capabilities = { podTrafficKnown: true, outside: true, features: EVERYTHING, undecided };
    assert.ok(!listGroups(capabilities).has("node-port-local"));
    assert.match(explainUnsupportedGroup("node-port-local", capabilities, all) ?? "", /chooses at random/);
    assert.equal(explainUnsupportedGroup("node-port-cluster", capabilities, all), undefined);
  });

  it("keeps cells of the other family if one family is undecided", () => {
    const { undecided } = findEnvironment("cluster-cidr-covers-underlay");
    const capabilities = { podTrafficKnown: true, outside: true, features: EVERYTHING, undecided };
    const dual = listMatrixCells(2, ["ipv4", "ipv6"], EVERYTHING);
    assert.equal(explainUnsupportedGroup("node-port-local", capabilities, dual), undefined);
    const left = listSupportedCells(dual, capabilities).filter(({ group }) => group === "node-port-local");
    assert.ok(left.length > 0 && left.every(({ family }) => family === "ipv6"));
  });
});
