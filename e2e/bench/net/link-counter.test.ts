import assert from "node:assert/strict";
import { diffTraffic } from "./link-counter.ts";

describe("the traffic of a link", () => {
  it("contains what the link sent, not what it received", () => {
    const file = "Inter-|   Receive\n face |bytes\n    lo: 1 2 3 4 5 6 7 8 9 10\n  net1: 11 1 0 0 0 0 0 0 22 2 0\n";
    assert.deepEqual(diffTraffic("net1", file), { bytes: 22, packets: 2 });
    assert.throws(() => diffTraffic("eth0", file), /no link eth0/);
  });
});
