import assert from "node:assert/strict";
import { removeNestedCidrs, parseCidr, parseIp } from "../address.ts";
import { isNodeTable, type NodeTableInput, readExemptCidrs, readRuleCounters, renderNodeTable } from "./node-table.ts";

const cidrs = (...texts: readonly string[]) => texts.map(parseCidr);
const OVERLAY = cidrs("10.233.64.0/18", "fd33:64::/48");
const countRules = (input: NodeTableInput, pattern: RegExp) =>
  renderNodeTable(input)
    .split("\n")
    .filter((line) => pattern.test(line)).length;

/** As nft 1.0.6 prints it. */
const LISTING = `table inet interlay {
	set overlay4 {
		type ipv4_addr
		flags interval
		elements = { 10.5.0.7, 10.233.64.0/19,
			     10.233.96.0/19 }
	}

	chain exempt {
		type filter hook prerouting priority mangle - 10; policy accept;
		ct state != invalid accept comment "shortcut"
		iifname "vethil*" ip daddr @overlay4 ct state invalid counter packets 12 bytes 720 notrack comment "exempt-ipv4"
		iifname != "eth0" iifname != "vethil*" meta iifkind "veth" ip saddr != @overlay4 ip daddr @overlay4 fib saddr . iif oif exists ct state invalid counter packets 0 bytes 0 notrack comment "exempt-further-nic-ipv4"
	}

	chain node_source {
		type nat hook postrouting priority srcnat - 1; policy accept;
		iifname "vethil*" oifname != "vethil*" ct status dnat counter packets 1 bytes 60 meta mark set meta mark & 0xffffbfff masquerade fully-random comment "masquerade-service"
	}
}
`;
const LISTED: NodeTableInput = {
  returnPath: "notrack",
  uplink: "eth0",
  overlayCidrs: cidrs("10.233.64.0/19", "10.233.96.0/19", "10.5.0.7/32"),
};

describe("renderNodeTable", () => {
  const many = Array.from({ length: 500 }, (_, index) => parseCidr(`10.${index >> 8}.${index & 255}.0/24`));
  const ROWS: readonly (readonly [
    title: string,
    input: Omit<NodeTableInput, "uplink">,
    exempted: number,
    masquerades: number,
  ])[] = [
    ["has one exemption for one family", { returnPath: "notrack", overlayCidrs: OVERLAY.slice(0, 1) }, 1, 1],
    ["has one exemption for each family", { returnPath: "notrack", overlayCidrs: OVERLAY }, 2, 1],
    ["has as many rules for 500 networks", { returnPath: "notrack", overlayCidrs: [...many, ...OVERLAY] }, 2, 1],
    ["exempts nothing with liberal", { returnPath: "liberal", overlayCidrs: OVERLAY }, 0, 1],
    ["exempts nothing with none", { returnPath: "none", overlayCidrs: OVERLAY }, 0, 1],
    ["masquerades to other nodes with snat", { returnPath: "snat", overlayCidrs: OVERLAY, nodeLinks: ["eth0"] }, 2, 3],
    [
      "ignores links to nodes without snat",
      { returnPath: "notrack", overlayCidrs: OVERLAY, nodeLinks: ["eth0"] },
      2,
      1,
    ],
    ["renders a table for a cluster without an overlay", { returnPath: "notrack", overlayCidrs: [] }, 0, 1],
  ];
  for (const [title, input, exempted, masquerades] of ROWS)
    it(title, () => {
      assert.equal(countRules({ ...input, uplink: "eth0" }, / notrack comment "exempt-ipv/), exempted);
      assert.equal(countRules({ ...input, uplink: "eth0" }, / notrack comment "exempt-further-nic-/), exempted);
      assert.equal(countRules({ ...input, uplink: "eth0" }, / masquerade fully-random comment/), masquerades);
    });

  it("has one rule for all masqueraded networks of a family", () => {
    const masqueradedCidrs = cidrs("10.233.64.0/18", "10.240.0.0/16", "10.250.0.0/16");
    const input = { ...LISTED, nodeAddresses: [parseIp("10.7.168.71")], masqueradedCidrs };
    assert.equal(countRules(input, /node-address-overlay/), 1);
  });

  it("leaves out a network within another one", () => {
    assert.deepEqual(
      removeNestedCidrs(cidrs("10.233.64.0/20", "10.233.64.0/18", "10.233.64.0/18", "fd33:64::/48")),
      OVERLAY,
    );
  });
});

describe("isNodeTable", () => {
  it("should accept the listing of the written table, whatever the counters", () => {
    assert.ok(isNodeTable(LISTING, LISTED));
  });

  const { overlayCidrs } = LISTED;
  const CHANGED: readonly (readonly [title: string, listing: string, input: NodeTableInput])[] = [
    ["a network that is missing", LISTING, { ...LISTED, overlayCidrs: [...overlayCidrs, parseCidr("10.9.0.0/16")] }],
    ["a network too many", LISTING, { ...LISTED, overlayCidrs: overlayCidrs.slice(1) }],
    ["a family that is missing", LISTING, { ...LISTED, overlayCidrs: [...overlayCidrs, parseCidr("fd00::/48")] }],
    ["a missing exemption", LISTING.replace(/^.*notrack.*$/m, ""), LISTED],
    ["a missing masquerade rule", LISTING.replace(/^.*masquerade fully.*$/m, ""), LISTED],
    ["a rule too many", LISTING.replace(/^(.*shortcut.*)$/m, "$1\n\t\taccept"), LISTED],
    ["a changed rule", LISTING.replace(' oifname != "vethil*"', ""), LISTED],
    ["a flushed table", "table inet interlay {\n}\n", LISTED],
    ["the table of another return path", LISTING, { ...LISTED, returnPath: "none" }],
  ];
  for (const [title, listing, input] of CHANGED)
    it(`rejects ${title}`, () => {
      assert.ok(!isNodeTable(listing, input));
    });
});

describe("listings of the node's table", () => {
  it("should read exempted networks, and none without exemptions", () => {
    assert.deepEqual([...readExemptCidrs(LISTING)].sort(), [...LISTED.overlayCidrs].sort());
    assert.deepEqual(readExemptCidrs(LISTING.replace(/^.*notrack.*$/m, "")), []);
  });

  it("should read the packet counter of each counting rule", () => {
    assert.deepEqual(Object.fromEntries(readRuleCounters(LISTING)), {
      "exempt-ipv4": 12,
      "exempt-further-nic-ipv4": 0,
      "masquerade-service": 1,
    });
  });
});
