import assert from "node:assert/strict";
import { DEFAULT_SPEC } from "./cluster-spec.ts";
import {
  joinRanges,
  createDefaultSpec,
  listFamilies,
  getGateway,
  setFamilies,
  createIpv6Ranges,
  toIpv6Address,
  parseUnderlay,
} from "./address-ranges.ts";

describe("INTERLAY_UNDERLAY", () => {
  it("changes the ranges of nodes and pods", () => {
    assert.equal(createDefaultSpec({}), DEFAULT_SPEC);
    assert.deepEqual(parseUnderlay("10.17.0.0/16"), {
      underlayCidr: "10.17.0.0/16",
      nodeRange: "10.17.168.64/26",
      podRange: "10.17.200.0/24",
    });
    assert.equal(createDefaultSpec({ INTERLAY_UNDERLAY: "10.17.0.0/16" }).underlayMayMove, false);
    assert.deepEqual({ ...DEFAULT_SPEC, ...parseUnderlay("10.7.0.0/16") }, DEFAULT_SPEC);
  });

  it("INTERLAY_UNDERLAY must be an IPv4 /16", () => {
    for (const wrong of ["10.17.0.0/24", "10.17.1.0/16", "10.17.0.0", "fd00::/16", "ten"])
      assert.throws(() => parseUnderlay(wrong), /want an IPv4 \/16/);
  });
});

describe("a dual-stack cluster", () => {
  const { underlayCidr, podRange, serviceCidr } = createIpv6Ranges({ underlayCidr: "10.17.0.0/16" });

  it("has an IPv6 underlay with the numbers of the IPv4 underlay", () => {
    assert.deepEqual([underlayCidr, podRange], ["fd00:10:17::/64", "fd00:10:17::200:0/112"]);
    assert.equal(toIpv6Address(underlayCidr, "10.17.168.70"), "fd00:10:17::168:70");
    assert.deepEqual([getGateway(underlayCidr), getGateway("10.17.0.0/16")], ["fd00:10:17::1", "10.17.0.1"]);
  });

  it("has two families, and other clusters have one", () => {
    for (const [input, families] of [
      ["ipv4", ["ipv4"]],
      ["ipv6", ["ipv6"]],
      ["dual", ["ipv4", "ipv6"]],
    ] as const)
      assert.deepEqual(listFamilies(setFamilies(DEFAULT_SPEC, input)), families);
  });

  it("joins its ranges with IPv4 first", () => {
    assert.equal(joinRanges("10.233.0.0/18", serviceCidr), "10.233.0.0/18,fd00:10:233::/112");
    assert.equal(joinRanges("10.233.0.0/18", undefined), "10.233.0.0/18");
  });
});
