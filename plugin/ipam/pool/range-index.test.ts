import assert from "node:assert/strict";
import { AddressSpace, mergeRanges, parseRange } from "./address-space.ts";
import { RangeIndex } from "./range-index.ts";

const createSpace = (...ranges: readonly string[]): AddressSpace =>
  new AddressSpace(ranges[0]?.includes(":") === true ? "ipv6" : "ipv4", mergeRanges(ranges.map(parseRange)));

describe("RangeIndex", () => {
  const index = new RangeIndex();
  index.add(createSpace("10.7.2.0/24", "10.7.0.0/24"), "a");
  index.add(createSpace("10.7.1.10-10.7.1.20"), "b");
  index.add(createSpace("fd07::/120"), "c");

  for (const [range, owner] of [
    ["10.7.1.20", "b"],
    ["10.7.1.21", undefined],
    ["10.7.1.9", undefined],
    ["10.7.0.255-10.7.1.0", "a"],
    ["10.6.255.0-10.7.0.0", "a"],
    ["10.7.1.0/24", "b"],
    ["10.7.2.255-10.7.3.0", "a"],
    ["10.7.3.0/24", undefined],
    ["fd07::ff", "c"],
    ["fd07::100", undefined],
  ] as const)
    it(`finds ${owner ?? "no owner"} for ${range}`, () => {
      assert.equal(index.findOwner(createSpace(range)), owner);
    });
});
