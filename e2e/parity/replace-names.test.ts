import assert from "node:assert/strict";
import { replaceNames } from "./replace-names.ts";

const NAMES = new Map([
  ["10.7.168.7", "NODE-1"],
  ["10.7.168.71", "NODE-2"],
  ["10.7.200.1", "POD"],
  ["10.7.0.0/16", "UNDERLAY"],
  ["kind-worker", "worker-1"],
  ["kind-worker2", "worker-2"],
]);

describe("a cluster in names", () => {
  it("has a word for each address, and none for a part of one", () => {
    const route = "10.7.168.71 dev veth0 src 10.7.200.1";
    assert.equal(replaceNames(route, NAMES), "NODE-2 dev veth0 src POD");
    assert.equal(replaceNames("10.7.200.11 via 10.7.168.7", NAMES), "10.7.200.11 via NODE-1");
    assert.equal(replaceNames("10.7.200.1/32 in 10.7.0.0/16.", NAMES), "POD/32 in UNDERLAY.");
    assert.equal(replaceNames("kind-worker2, kind-worker", NAMES), "worker-2, worker-1");
  });

  it("has no name of a node's link and no hardware address", () => {
    const line = "node: neighbour 10.7.200.1 lladdr 02:aa:bb:cc:dd:ee dev vethil0a1b2c3d4";
    assert.equal(replaceNames(line, NAMES), "node: neighbour POD lladdr MAC dev NODE-LINK");
    assert.equal(replaceNames("dev cali01234567890", NAMES), "dev NODE-LINK");
    assert.equal(replaceNames("dev veth0", NAMES), "dev veth0");
  });
});
