import assert from "node:assert/strict";
import { parseCidr } from "../../datapath/address.ts";
import { IPTABLES, type IptablesProgram, type SavedFilters } from "./packet-filters.ts";
import { findForwardDrop, type ForwardedNetworks, listForwardRules, planForwardChanges } from "./forward-chain.ts";

const NETWORKS: ForwardedNetworks = {
  overlayCidrs: ["10.233.64.0/18", "fd33:64::/48"].map(parseCidr),
  hijackCidrs: [parseCidr("169.254.25.10/32")],
  viaNode: [{ destination: parseCidr("10.7.9.9/32"), reason: "LoadBalancer" }],
};
const DOCKER = "*filter\n:FORWARD DROP [3:9]\n[0:0] -A FORWARD -j DOCKER-USER\n";
const PLAIN = "*filter\n:FORWARD ACCEPT [0:0]\n";
const own = (program: IptablesProgram): string =>
  listForwardRules(program, NETWORKS)
    .map((rule) => `[1:60] -A FORWARD ${rule.join(" ")}\n`)
    .join("");
const FIREWALLD =
  "*filter\n:FORWARD ACCEPT [0:0]\n-A FORWARD -m conntrack --ctstate INVALID -j DROP\n-A FORWARD -j REJECT --reject-with icmp-port-unreachable\n";
const BEFORE = "[1:60] -A FORWARD -i vethil+ -m comment --comment interlay -j ACCEPT\n";
const saved = (some: Partial<SavedFilters>): SavedFilters => ({
  ...(Object.fromEntries(IPTABLES.map((program) => [program, ""])) as SavedFilters),
  ...some,
});
const plan = (some: Partial<SavedFilters>, accepts = true): readonly string[] =>
  planForwardChanges(saved(some), accepts ? NETWORKS : undefined).map(({ program, verb, position, rule }) =>
    [program, verb, ...(position === undefined ? [] : [position]), ...rule]
      .join(" ")
      .replace(" -m comment --comment interlay -j ACCEPT", ""),
  );
const IPV4 = [
  "-i vethil+ -m conntrack --ctstate RELATED,ESTABLISHED,DNAT",
  "-d 10.233.64.0/18 -i vethil+",
  "-d 169.254.25.10/32 -i vethil+",
  "-d 10.7.9.9/32 -i vethil+",
  "-o vethil+ -m conntrack --ctstate RELATED,ESTABLISHED,DNAT",
  "-s 10.233.64.0/18 -o vethil+",
];
const all = (program: IptablesProgram, verb: string) => IPV4.map((rule) => `${program} ${verb} ${rule}`);

describe("planForwardChanges", () => {
  const ROWS: readonly (readonly [string, Partial<SavedFilters>, boolean, readonly string[]])[] = [
    ["does nothing without a packet filter", {}, true, []],
    ["leaves chains with the policy ACCEPT alone", { iptables: PLAIN, "ip6tables-legacy": PLAIN }, true, []],
    ["accepts only what the plans route where the policy is DROP", { iptables: DOCKER }, true, all("iptables", "-A")],
    [
      "gives each family its own networks",
      { ip6tables: DOCKER },
      true,
      [IPV4[0], "-d fd33:64::/48 -i vethil+", IPV4[4], "-s fd33:64::/48 -o vethil+"].map(
        (rule) => `ip6tables -A ${rule ?? ""}`,
      ),
    ],
    [
      "takes two names of one program for one",
      { iptables: DOCKER, "iptables-legacy": DOCKER.replace("[0:0]", "[4:240]") },
      true,
      all("iptables", "-A"),
    ],
    [
      "inserts its rules before a rule that rejects everything (firewalld)",
      { iptables: FIREWALLD },
      true,
      IPV4.map((rule, index) => `iptables -I ${index + 2} ${rule}`),
    ],
    [
      "changes nothing when all rules are before the one that rejects everything",
      { iptables: FIREWALLD.replace("-A FORWARD -j REJECT", `${own("iptables")}-A FORWARD -j REJECT`) },
      true,
      [],
    ],
    [
      "moves its rules where a rule that rejects everything came before them",
      { iptables: FIREWALLD + own("iptables") },
      true,
      [...all("iptables", "-D"), ...IPV4.map((rule, index) => `iptables -I ${index + 2} ${rule}`)],
    ],
    ["changes nothing when all rules are in place", { iptables: DOCKER + own("iptables") }, true, []],
    [
      "adds the rule that is missing",
      { iptables: DOCKER + own("iptables").replace(/^.*-d 10\.7\.9\.9.*\n/m, "") },
      true,
      ["iptables -A -d 10.7.9.9/32 -i vethil+"],
    ],
    [
      "deletes the wide rule of an earlier version",
      { iptables: DOCKER + BEFORE + own("iptables") },
      true,
      ["iptables -D -i vethil+"],
    ],
    [
      "deletes every rule when the policy is ACCEPT again",
      { iptables: PLAIN + own("iptables") },
      true,
      all("iptables", "-D"),
    ],
    ["deletes every rule at uninstall", { iptables: DOCKER + own("iptables") }, false, all("iptables", "-D")],
    [
      "deletes duplicates at uninstall",
      { iptables: DOCKER + own("iptables") + own("iptables") },
      false,
      [...all("iptables", "-D"), ...all("iptables", "-D")],
    ],
  ];
  for (const [title, some, accepts, expected] of ROWS)
    it(title, () => {
      assert.deepEqual([...plan(some, accepts)].sort(), [...expected].sort());
    });
});

describe("findForwardDrop", () => {
  const ROWS: readonly (readonly [string, string, boolean])[] = [
    ["finds none with the policy ACCEPT", PLAIN, false],
    ["finds the policy DROP without the agent's rules", DOCKER, true],
    ["finds the policy DROP with a part of the rules", DOCKER + own("iptables").replace(/^.*-s 10.*\n/m, ""), true],
    ["finds a rule that rejects everything", FIREWALLD, true],
    ["finds rules that come too late", FIREWALLD + own("iptables"), true],
    ["finds none with all of the agent's rules", DOCKER + own("iptables"), false],
    ["finds none where an administrator accepts all that comes from pods", DOCKER + BEFORE, false],
  ];
  for (const [title, text, expected] of ROWS)
    it(title, () => {
      assert.equal(findForwardDrop("iptables", text, NETWORKS), expected);
    });
});
