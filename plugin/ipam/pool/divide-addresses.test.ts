import assert from "node:assert/strict";
import { type BlockAddress, getBlock } from "./address-blocks.ts";
import { parsePoolSpaces } from "./address-space.ts";
import { type BlockNode, divideAddresses, sortForNode } from "./divide-addresses.ts";

const { free: space } = parsePoolSpaces({
  subnet: "10.7.0.0/16",
  ranges: ["10.7.200.0/24"],
  excluded: [],
  reserved: [],
});
const { addresses } = getBlock(space, 0n);
const names = Array.from({ length: 10 }, (_, index) => `worker-${index}`);
const createNodes = (list: readonly string[], waiting = 0): readonly BlockNode[] =>
  list.map((name) => ({ name, waiting }));
const isFree = () => true;

describe("divideAddresses", () => {
  it("assigns each free address to exactly one node, and no node has more than its share", () => {
    const division = divideAddresses(addresses, isFree, createNodes(names));
    const all = [...division.values()].flat();
    assert.equal(all.length, addresses.length);
    assert.equal(new Set(all).size, addresses.length);
    for (const list of division.values()) assert.ok(list.length >= 22 && list.length <= 26, `${list.length} of 256`);
  });

  it("changes few addresses when another node holds addresses of the block", () => {
    const before = divideAddresses(addresses, isFree, createNodes(names));
    const after = divideAddresses(addresses, isFree, createNodes([...names, "new"]));
    const stayed = names.flatMap((name) => after.get(name)?.filter((one) => before.get(name)?.includes(one)) ?? []);
    assert.ok(stayed.length > 0.7 * addresses.length, `${stayed.length} of ${addresses.length} stay`);
    assert.ok((after.get("new")?.length ?? 0) > 0);
  });

  it("does not depend on the order of the nodes", () => {
    const [first, second] = [names, names.toReversed()].map((list) =>
      divideAddresses(addresses, isFree, createNodes(list, 40)),
    );
    assert.deepEqual(first?.get("worker-3"), second?.get("worker-3"));
  });

  it("gives what a node does not need to a node whose calls need more", () => {
    const left = new Set(divideAddresses(addresses, isFree, createNodes(names)).get("worker-1")?.slice(0, 5));
    const isLeft = (address: BlockAddress) => left.has(address);
    const nodes = names.map((name) => ({ name, waiting: { "worker-1": 2, "worker-2": 2, "worker-3": 9 }[name] ?? 0 }));
    const division = divideAddresses(addresses, isLeft, nodes);
    const counts = names.map((name) => division.get(name)?.length);
    assert.deepEqual([counts[1], (counts[2] ?? 0) + (counts[3] ?? 0)], [2, 3]);
    assert.deepEqual(division.get("worker-1"), [...left].slice(0, 2), "the node keeps the first ones");
    assert.ok((counts[2] ?? 0) <= 2);
  });

  it("gives nothing away while every node has what it needs", () => {
    const waiting = names.map((name, index) => ({ name, waiting: index }));
    assert.deepEqual(
      divideAddresses(addresses, isFree, waiting),
      divideAddresses(addresses, isFree, createNodes(names)),
    );
  });

  it("divides nothing without nodes", () => {
    assert.equal(divideAddresses(addresses, isFree, []).size, 0);
  });
});

describe("sortForNode", () => {
  it("puts first what would be the node's if it held addresses of the block", () => {
    const [first] = sortForNode(addresses, "new");
    const division = divideAddresses(addresses, isFree, createNodes([...names, "new"]));
    assert.ok(first !== undefined && division.get("new")?.includes(first));
  });
});
