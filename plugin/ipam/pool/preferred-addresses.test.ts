import assert from "node:assert/strict";
import type { Ip } from "../../datapath/address.ts";
import { parsePoolSpaces } from "./address-space.ts";
import { listPreferredAddresses } from "./preferred-addresses.ts";

const { free: space } = parsePoolSpaces({
  subnet: "10.7.0.0/16",
  ranges: ["10.7.200.0/24"],
  excluded: [],
  reserved: [],
});
const free = Array.from({ length: Number(space.size) }, (_, index): Ip => space.at(BigInt(index)));
const nodes = Array.from({ length: 10 }, (_, index) => `worker-${index}`);
const listAll = (names: readonly string[]) => names.map((name) => listPreferredAddresses(free, name, new Set(names)));

describe("listPreferredAddresses", () => {
  it("prefers each free address on exactly one node, about as many on each", () => {
    const lists = listAll(nodes);
    assert.equal(lists.flat().length, free.length);
    assert.equal(new Set(lists.flat()).size, free.length);
    for (const { length } of lists) assert.ok(length >= 10 && length <= 45, `${length} of 256 on one of 10 nodes`);
  });

  it("changes few addresses when another node holds addresses of the block", () => {
    const before = listAll(nodes);
    const after = listAll([...nodes, "new"]);
    for (const [index, list] of before.entries())
      assert.deepEqual(
        after[index]?.filter((ip) => !list.includes(ip)),
        [],
      );
    assert.ok((after.at(-1)?.length ?? 0) > 0);
  });

  it("prefers no address on a node that holds none, because the others do not know of it", () => {
    assert.deepEqual(listPreferredAddresses(free, "new", new Set(nodes)), []);
  });
});
