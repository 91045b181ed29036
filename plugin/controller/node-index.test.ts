import assert from "node:assert/strict";
import { parseCidr, parseIp } from "../datapath/address.ts";
import { NodeIndex } from "./node-index.ts";

describe("an index of nodes", () => {
  const create = (nodes: Readonly<Record<string, readonly string[]>>) =>
    new NodeIndex(Object.entries(nodes).map(([name, addresses]) => ({ name, addresses: addresses.map(parseIp) })));
  const count = (index: NodeIndex, subnet: string) => index.countOutside(parseCidr(subnet));

  it("counts nodes by the address of the subnet's family", () => {
    const index = create({ n1: ["10.7.168.71", "fd07::71"], n2: ["10.8.0.72"] });
    assert.deepEqual(count(index, "10.7.0.0/16"), { count: 1, example: "n2 (10.8.0.72)" });
    assert.deepEqual(count(index, "fd07::/64"), { count: 0, example: "" });
    assert.deepEqual(count(index, "10.0.0.0/8"), { count: 0, example: "" });
  });

  it("does not count a node that has one of two addresses in the subnet, and names the first outside", () => {
    const index = create({ n3: ["10.9.0.3"], n2: ["10.9.0.2"], n1: ["10.9.0.1", "10.7.0.1"] });
    assert.deepEqual(count(index, "10.7.0.0/16"), { count: 2, example: "n2 (10.9.0.2)" });
  });
});
