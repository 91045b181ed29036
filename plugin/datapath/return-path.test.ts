import assert from "node:assert/strict";
import { outermost, parseCidr } from "./address.ts";
import { notrackElements, notrackIsWhole, notrackRules } from "./return-path.ts";

const cidrs = (...texts: readonly string[]) => texts.map(parseCidr);
const rulesOf = (text: string) => text.split("\n").filter((line) => line.trimEnd().endsWith("notrack"));
const OVERLAY = cidrs("10.233.64.0/18", "fd33:64::/48");
/** As nft 1.0.6 prints it. */
const LISTING = `table inet interlay {
	set overlay4 {
		type ipv4_addr
		flags interval
		elements = { 10.5.0.7, 10.233.64.0/19,
			     10.233.96.0/19 }
	}

	chain prerouting {
		type filter hook prerouting priority raw; policy accept;
		iifname "vethil*" ip daddr @overlay4 fib daddr oifname != "cali*" counter packets 12 bytes 720 notrack
	}
}
`;
const LISTED = cidrs("10.233.64.0/19", "10.233.96.0/19", "10.5.0.7/32");

describe("the return path notrack", () => {
  it("has one rule a family, whatever the number of networks", () => {
    const many = Array.from({ length: 500 }, (_, index) => parseCidr(`10.${index >> 8}.${index & 255}.0/24`));
    assert.equal(rulesOf(notrackRules(cidrs("10.233.64.0/18"))).length, 1);
    assert.equal(rulesOf(notrackRules(OVERLAY)).length, 2);
    assert.equal(rulesOf(notrackRules([...many, ...OVERLAY])).length, 2);
  });

  it("leaves out what lies within another network", () => {
    assert.deepEqual(outermost(cidrs("10.233.64.0/20", "10.233.64.0/18", "10.233.64.0/18", "fd33:64::/48")), OVERLAY);
  });

  it("is compared with what nft lists: counters do not count", () => {
    assert.deepEqual([...notrackElements(LISTING)].sort(), [...LISTED].sort());
    assert.ok(notrackIsWhole(LISTING, LISTED));
  });

  const CHANGED: readonly (readonly [string, string, typeof LISTED])[] = [
    ["a network that is missing", LISTING, [...LISTED, parseCidr("10.9.0.0/16")]],
    ["a network that has gone", LISTING, LISTED.slice(1)],
    ["a family that is missing", LISTING, [...LISTED, parseCidr("fd00::/48")]],
    ["a rule that is missing", LISTING.replace(/^.*notrack$/m, ""), LISTED],
    ["a flushed table", "table inet interlay {\n}\n", LISTED],
  ];
  for (const [what, listing, overlay] of CHANGED)
    it(`sees ${what}`, () => {
      assert.ok(!notrackIsWhole(listing, overlay));
    });
});
