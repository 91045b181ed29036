import assert from "node:assert/strict";
import { parseIp } from "../../datapath/address.ts";
import { chooseFirstBlock, countBlocks, getBlock, getBlockName } from "./address-blocks.ts";
import { AddressSpace, intersectRanges, mergeRanges, parseRange } from "./address-space.ts";

const toSpace = (family: "ipv4" | "ipv6", ...ranges: readonly string[]) =>
  new AddressSpace(family, mergeRanges(ranges.map(parseRange)));

describe("address blocks", () => {
  it("name an address by its /24 or /120, in words that fit a label", () => {
    assert.equal(getBlockName(parseIp("10.7.168.71")), "10.7.168.0-24");
    const six = getBlockName(parseIp("fd07:1234:5678:9abc:def0:1234:5678:9abc"));
    assert.equal(six, "v6-fd07-1234-5678-9abc-def0-1234-5678-9a00-120");
    assert.match(six, /^[a-z0-9][a-z0-9.-]{0,61}[a-z0-9]$/);
  });

  it("divide a pool's ranges completely, each address in the block of its name", () => {
    const space = toSpace("ipv4", "10.7.0.200-10.7.2.10", "10.7.2.20-10.7.2.21");
    const blocks = Array.from({ length: Number(countBlocks(space)) }, (_, index) => getBlock(space, BigInt(index)));
    assert.deepEqual(
      blocks.map(({ name, space: { size } }) => [name, size]),
      [
        ["10.7.0.0-24", 56n],
        ["10.7.1.0-24", 256n],
        ["10.7.2.0-24", 11n],
        ["10.7.2.0-24", 2n],
      ],
    );
    for (const { name, space: part } of blocks)
      for (let index = 0n; index < part.size; index++) assert.equal(getBlockName(part.at(index)), name);
  });

  it("cost no more in an IPv6 /64 than in a /24", () => {
    const space = toSpace("ipv6", "fd07::/64");
    assert.equal(countBlocks(space), 1n << 56n);
    assert.equal(getBlock(space, (1n << 56n) - 1n).name, "v6-fd07-0-0-0-ffff-ffff-ffff-ff00-120");
    assert.throws(() => getBlock(space, 1n << 56n), RangeError);
  });

  it("spread nodes by a hash: 1,000 nodes over 100 blocks, at most 25 in one", () => {
    const counts = new Map<bigint, number>();
    for (let node = 0; node < 1000; node++) {
      const block = chooseFirstBlock(`node-${node}`, "pool", 100n);
      counts.set(block, (counts.get(block) ?? 0) + 1);
    }
    assert.ok(counts.size > 95);
    assert.ok(Math.max(...counts.values()) <= 25);
    assert.equal(chooseFirstBlock("node-1", "pool", 100n), chooseFirstBlock("node-1", "pool", 100n));
  });
});

describe("intersectRanges", () => {
  it("returns the addresses that are in both", () => {
    const parseRanges = (...ranges: readonly string[]) => mergeRanges(ranges.map(parseRange));
    assert.deepEqual(
      intersectRanges(parseRanges("10.0.0.0/8"), parseRanges("10.7.0.1-10.7.0.9", "11.0.0.1")),
      parseRanges("10.7.0.1-10.7.0.9"),
    );
    assert.deepEqual(
      intersectRanges(parseRanges("10.7.0.1-10.7.0.4"), parseRanges("10.7.0.3-10.7.0.9")),
      parseRanges("10.7.0.3-10.7.0.4"),
    );
    assert.deepEqual(intersectRanges(parseRanges("10.7.0.1"), parseRanges("10.7.0.2")), []);
  });
});
