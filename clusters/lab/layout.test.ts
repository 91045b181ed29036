import assert from "node:assert/strict";
import { DEFAULT_SPEC } from "../provider.ts";
import { machinesOf, nthOf } from "./layout.ts";

describe("the lab's machines", () => {
  const spec = { ...DEFAULT_SPEC, name: "x" };

  it("have the documents' addresses and kind's names", () => {
    const { nodes, external, gateway, prefixLength } = machinesOf(spec);
    assert.deepEqual(
      nodes.map(({ name, address }) => `${name} ${address}`),
      ["x-control-plane 10.7.168.70", "x-worker 10.7.168.71", "x-worker2 10.7.168.72"],
    );
    assert.deepEqual([external.address, gateway, prefixLength], ["10.7.168.127", "10.7.0.1", 16]);
  });

  it("are as many as the node range holds, and no more", () => {
    assert.equal(machinesOf({ ...spec, workers: 56 }).nodes.at(-1)?.address, "10.7.168.126");
    assert.throws(() => machinesOf({ ...spec, workers: 57 }), /name at most 56/);
  });

  it("an address is counted from its network's first", () => {
    assert.equal(nthOf("10.233.0.0/18", 1), "10.233.0.1");
    assert.equal(nthOf("10.233.0.0/18", 258), "10.233.1.2");
  });
});
