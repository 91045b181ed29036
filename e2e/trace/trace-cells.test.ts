import assert from "node:assert/strict";
import { EXTERNAL } from "../cells/cell.ts";
import { buildCluster } from "../../plugin/testing/trace-topology.ts";
import { hasClient } from "./trace-cells.ts";

describe("cells that a trace predicts", () => {
  it("leave out those of hosts that the snapshot does not have, as on kind", () => {
    const snapshot = buildCluster();
    assert.equal(hasClient(snapshot, { from: EXTERNAL }), false);
    assert.equal(hasClient(snapshot, { from: "underlay-1-a" }), true);
  });
});
