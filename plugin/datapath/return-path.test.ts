import assert from "node:assert/strict";
import { parseCidr } from "./address.ts";
import { hasNotrack, notrackRules } from "./return-path.ts";

describe("the notrack table", () => {
  const cidrs = ["10.233.64.0/18", "10.234.0.0/16", "fd00:10:233:64::/64"].map(parseCidr);
  /** What is written is what nft lists, but for the counters. */
  const listing = notrackRules(cidrs);

  it("is whole when each family has its rule and every network is there", () => {
    assert.ok(hasNotrack(listing, cidrs));
    assert.ok(hasNotrack(listing, cidrs.slice(0, 1)));
  });

  for (const [what, gone] of [
    ["IPv4's rule", /^.*ip daddr @overlay4.*$/m],
    ["IPv6's rule", /^.*ip6 daddr @overlay6.*$/m],
    ["a network", /, 10\.234\.0\.0\/16/],
  ] as const)
    it(`lacks ${what}`, () => {
      const without = listing.replace(gone, "");
      assert.notEqual(without, listing);
      assert.ok(!hasNotrack(without, cidrs));
    });
});
