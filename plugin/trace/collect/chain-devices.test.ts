import assert from "node:assert/strict";
import { addDevices, lacksDevices } from "./chain-devices.ts";

const makeChain = (table: string, name: string, more: object = {}) => ({
  chain: { family: "netdev", table, name, hook: "ingress", prio: 0, ...more },
});
const LISTING = `table netdev nd {
	chain a {
		type filter hook ingress device "e0" priority filter; policy accept;
	}
	chain b {
		type filter hook ingress devices = { br0, "e1" } priority filter + 5; policy accept;
	}
}
table inet ii {
	chain a {
		type filter hook ingress device "e2" priority filter; policy accept;
	}
}
`;

describe("devices of nftables chains", () => {
  it("devices of nftables chains are added from the text where the JSON lacks them", () => {
    const added = addDevices(
      [makeChain("nd", "a"), makeChain("nd", "b"), makeChain("ii", "a", { family: "inet" })],
      LISTING,
    );
    assert.deepEqual(
      added.map(({ chain }) => (chain as { dev?: unknown }).dev),
      ["e0", ["br0", "e1"], "e2"],
    );
  });

  it("of a newer nft stay as they are, and other objects too", () => {
    const objects = [makeChain("nd", "a", { dev: "e9" }), { table: { family: "ip", name: "nat" } }];
    assert.equal(lacksDevices(objects), false);
    assert.deepEqual(addDevices(objects, LISTING), objects);
  });

  it("devices of nftables chains are missing in an ingress chain without them alone", () => {
    assert.equal(lacksDevices([makeChain("nd", "a")]), true);
    assert.equal(lacksDevices([makeChain("nd", "a", { hook: "forward" })]), false);
  });
});
