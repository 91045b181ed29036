import assert from "node:assert/strict";
import fc from "fast-check";
import { parseIp } from "../../datapath/address.ts";
import { type AddressRange, parseRange, parsePoolSpaces, subtractRanges, mergeRanges } from "./address-space.ts";

const spec = (over: Partial<Parameters<typeof parsePoolSpaces>[0]> = {}) => ({
  subnet: "10.7.0.0/16",
  ranges: ["10.7.200.0/24"],
  excluded: [],
  reserved: [],
  ...over,
});
const range = fc
  .tuple(fc.bigInt(0n, 200n), fc.bigInt(0n, 20n))
  .map(([first, length]): AddressRange => ({ first, last: first + length }));
const members = (ranges: readonly AddressRange[]): Set<bigint> => {
  const all = new Set<bigint>();
  for (const { first, last } of ranges) for (let value = first; value <= last; value++) all.add(value);
  return all;
};

describe("AddressSpace", () => {
  for (const [what, over, size, first] of [
    ["a network inside the subnet", {}, 256n, "10.7.200.0"],
    ["the whole subnet, but for its network and broadcast addresses", { ranges: ["10.7.0.0/16"] }, 65_534n, "10.7.0.1"],
    ["a range", { ranges: ["10.7.200.10-10.7.200.20"] }, 11n, "10.7.200.10"],
    ["one address", { ranges: ["10.7.200.10"] }, 1n, "10.7.200.10"],
    ["not the gateway", { gateway: "10.7.200.0" }, 255n, "10.7.200.1"],
    ["not what is excluded", { excluded: ["10.7.200.0/25", "10.7.200.255"] }, 127n, "10.7.200.128"],
    ["overlapping ranges once", { ranges: ["10.7.200.0/24", "10.7.200.128-10.7.201.10"] }, 267n, "10.7.200.0"],
    ["a /8", { subnet: "10.0.0.0/8", ranges: ["10.0.0.0/8"] }, 2n ** 24n - 2n, "10.0.0.1"],
    ["an IPv6 /64", { subnet: "fd00::/64", ranges: ["fd00::/64"] }, 2n ** 64n - 1n, "fd00::1"],
    ["a /31 has both", { subnet: "10.7.0.0/31", ranges: ["10.7.0.0/31"] }, 2n, "10.7.0.0"],
  ] as const)
    it(what, () => {
      const { free } = parsePoolSpaces(spec(over));
      assert.equal(free.size, size);
      assert.equal(free.at(0n), first);
    });

  it("keeps reserved addresses for pods that request them", () => {
    const { free, all } = parsePoolSpaces(spec({ reserved: ["10.7.200.5"] }));
    assert.equal(free.has(parseIp("10.7.200.5")), false);
    assert.equal(all.has(parseIp("10.7.200.5")), true);
  });

  it("rejects a range outside the subnet", () => {
    assert.throws(() => parsePoolSpaces(spec({ ranges: ["10.8.0.0/24"] })), /outside the subnet/);
    assert.throws(() => parseRange("10.7.0.9-10.7.0.1"), /its last address is before its first/);
    assert.throws(() => parseRange("10.7.0.9-fd00::1"), /different families/);
  });

  it("should find each address once, and then none", () => {
    const { free } = parsePoolSpaces(spec({ ranges: ["10.7.200.0/28"], gateway: "10.7.200.3" }));
    const taken = new Set<string>();
    for (let i = 0n; i < free.size; i++) {
      const ip = free.findFree((candidate) => taken.has(candidate));
      assert.ok(ip !== undefined && !taken.has(ip) && free.has(ip));
      taken.add(ip);
    }
    assert.equal(
      free.findFree((candidate) => taken.has(candidate)),
      undefined,
    );
    assert.deepEqual(new Set(free.listAddresses()), taken);
  });

  it("should compute unions and differences of ranges", () => {
    fc.assert(
      fc.property(fc.array(range, { maxLength: 6 }), fc.array(range, { maxLength: 6 }), (a, b) => {
        assert.deepEqual(members(mergeRanges(a)), members(a));
        const without = members(b);
        const expected = new Set([...members(a)].filter((value) => !without.has(value)));
        assert.deepEqual(members(subtractRanges(mergeRanges(a), mergeRanges(b))), expected);
      }),
    );
  });
});
