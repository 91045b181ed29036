import assert from "node:assert/strict";
import { findIptablesDrops, findNftDrops } from "./invalid-drops.ts";

const OUT = ["eth0", "vxlan.calico"];
const filter = (...rules: readonly string[]) => `*filter\n:FORWARD ACCEPT [0:0]\n${rules.join("\n")}\nCOMMIT\n`;

describe("findIptablesDrops", () => {
  const ROWS: readonly (readonly [title: string, saved: string, found: readonly RegExp[]])[] = [
    ["finds nothing in an empty filter", filter(), []],
    [
      "finds a rule directly in FORWARD, and names it",
      filter("[5:300] -A FORWARD -m conntrack --ctstate INVALID -j DROP"),
      [/^iptables table filter, chain FORWARD: -A FORWARD -m conntrack --ctstate INVALID -j DROP$/],
    ],
    ["finds the match state, and REJECT", filter("-A FORWARD -m state --state NEW,INVALID -j REJECT"), [/REJECT/]],
    [
      "finds a drop in a chain that is reached for INVALID packets alone (ufw)",
      filter(
        "-A FORWARD -j ufw-before-forward",
        "-A ufw-before-forward -m conntrack --ctstate INVALID -j ufw-logging-deny",
        "-A ufw-logging-deny -m limit --limit 3/min -j LOG",
        "-A ufw-logging-deny -j DROP",
      ),
      [/chain ufw-logging-deny: -A ufw-logging-deny -j DROP$/],
    ],
    [
      "finds a rule in mangle's PREROUTING",
      "*mangle\n-A PREROUTING -m conntrack --ctstate INVALID -j DROP\nCOMMIT\n",
      [/table mangle, chain PREROUTING/],
    ],
    [
      "leaves out INPUT, which forwarded packets do not pass",
      filter("-A INPUT -m conntrack --ctstate INVALID -j DROP"),
      [],
    ],
    ["leaves out a chain that nothing leads to", filter("-A lost -m conntrack --ctstate INVALID -j DROP"), []],
    [
      "leaves out Calico's chains of workloads, which are for its own links",
      filter(
        "-A FORWARD -j cali-FORWARD",
        "-A cali-FORWARD -i cali+ -j cali-from-wl-dispatch",
        "-A cali-FORWARD -o cali+ -j cali-to-wl-dispatch",
        "-A cali-from-wl-dispatch -m conntrack --ctstate INVALID -j DROP",
        "-A cali-to-wl-dispatch -m conntrack --ctstate INVALID -j DROP",
      ),
      [],
    ],
    [
      "finds the chain of a host endpoint on the uplink",
      filter("-A FORWARD -o eth0 -g to-hep", "-A to-hep -m conntrack --ctstate INVALID -j DROP"),
      [/chain to-hep/],
    ],
    [
      "leaves out what is for known connections alone",
      filter(
        "-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j known",
        "-A known -m conntrack --ctstate INVALID -j DROP",
        "-A FORWARD -m conntrack ! --ctstate INVALID -j DROP",
        "-A FORWARD -j DROP",
      ),
      [],
    ],
    [
      "finds a rule for every link but others",
      filter("-A FORWARD ! -i docker0 -m conntrack --ctstate INVALID -j DROP"),
      [/! -i docker0/],
    ],
  ];
  for (const [title, saved, found] of ROWS)
    it(title, () => {
      const drops = findIptablesDrops("iptables", saved, OUT);
      assert.equal(drops.length, found.length, drops.join("; "));
      for (const [index, pattern] of found.entries()) assert.match(drops[index] ?? "", pattern);
    });
});

const FIREWALLD = `table inet firewalld {
	chain filter_FORWARD {
		type filter hook forward priority filter + 10; policy accept;
		ct state { established, related } accept
		ct status dnat accept
		iifname "lo" accept
		ct state invalid drop
		jump filter_FORWARD_ZONES
		reject with icmpx admin-prohibited
	}

	chain filter_FORWARD_ZONES {
		iifname "eth0" goto filter_FWD_public
	}
}
`;

describe("findNftDrops", () => {
  const table = (...rules: readonly string[]) =>
    `table inet site {\n\tchain forward {\n\t\ttype filter hook forward priority filter; policy accept;\n\t\t${rules.join("\n\t\t")}\n\t}\n\n\tchain other {\n\t\tct state invalid counter packets 3 bytes 180 drop\n\t}\n}\n`;
  const ROWS: readonly (readonly [title: string, listing: string, found: readonly RegExp[]])[] = [
    [
      "finds firewalld's rule",
      FIREWALLD,
      [/^nftables table inet firewalld, chain filter_FORWARD: ct state invalid drop$/],
    ],
    ["finds a verdict map", table("ct state vmap { established : accept, invalid : drop }"), [/vmap/]],
    ["finds what a jump leads to", table("jump other"), [/chain other: ct state invalid counter drop/]],
    ["leaves out a verdict map without INVALID", table("ct state vmap { established : accept, new : jump other }"), []],
    ["leaves out what is for other links", table('iifname "cali*" jump other', 'oifname "cali*" jump other'), []],
    ["leaves out a chain that nothing leads to", table("accept"), []],
    ["finds a set of states", table("ct state { invalid, untracked } drop"), [/invalid, untracked/]],
  ];
  for (const [title, listing, found] of ROWS)
    it(title, () => {
      const drops = findNftDrops(listing, OUT);
      assert.equal(drops.length, found.length, drops.join("; "));
      for (const [index, pattern] of found.entries()) assert.match(drops[index] ?? "", pattern);
    });
});
