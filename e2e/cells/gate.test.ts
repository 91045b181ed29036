import assert from "node:assert/strict";
import { decideExpectation, decideKubeProxyVerdict, type GatedCell, type Variant } from "./gate.ts";

const variant = (
  version: string,
  returnPath: Variant["returnPath"],
  mode: Variant["kubeProxy"]["mode"] = "iptables",
): Variant => ({
  kubeProxy: { version, mode },
  returnPath,
});
const asymmetric: GatedCell = {
  source: "underlay",
  toOverlayAddress: true,
  placement: "other-node",
  protocol: "tcp",
};

describe("the gate", () => {
  const cases: readonly [Variant, 0 | 1, boolean, "pass" | "blocked"][] = [
    [variant("v1.28.15", "liberal"), 1, true, "blocked"],
    [variant("v1.28.15", "notrack"), 0, true, "pass"],
    [variant("v1.28.15", "none"), 0, true, "blocked"],
    [variant("v1.29.15", "liberal"), 1, false, "pass"],
    [variant("v1.29.15", "notrack"), 0, true, "pass"],
    [variant("v1.29.15", "none"), 0, true, "blocked"],
    [variant("v1.37.2", "liberal", "nftables"), 1, false, "pass"],
    [variant("v1.37.2", "none", "nftables"), 0, false, "pass"],
    [variant("v1.37.2", "notrack", "nftables"), 0, false, "pass"],
    [variant("v1.29.15", "none", "nftables"), 0, true, "blocked"],
    [variant("v1.29.15", "liberal", "nftables"), 1, false, "pass"],
    [variant("v1.28.15", "none", "ipvs"), 0, false, "pass"],
    [variant("v1.28.15", "liberal", "ipvs"), 1, false, "pass"],
    [variant("none", "none", "none"), 0, false, "pass"],
  ];
  for (const [v, liberal, rule, expected] of cases)
    it(`${v.kubeProxy.version} ${v.kubeProxy.mode} ${v.returnPath}: sysctl ${liberal}, rule ${rule ? "there" : "not there"}, ${expected}`, () => {
      const { tcpBeLiberal, invalidDropRule } = decideExpectation(v);
      assert.deepEqual({ tcpBeLiberal, invalidDropRule }, { tcpBeLiberal: liberal, invalidDropRule: rule });
      assert.equal(decideKubeProxyVerdict(v, asymmetric).expected, expected);
    });

  const passing: readonly [string, Partial<GatedCell>][] = [
    ["on the same node", { placement: "same-node" }],
    ["by UDP", { protocol: "udp" }],
    ["by ICMP", { protocol: "icmp" }],
    ["to a Service or an underlay address", { toOverlayAddress: false }],
    ["from an overlay pod", { source: "overlay" }],
    ["from a multi-NIC pod, which speaks with its overlay address", { source: "multi-nic" }],
  ];
  for (const [name, change] of passing)
    it(`lets pass ${name} even where the rule is`, () => {
      assert.equal(
        decideKubeProxyVerdict(variant("v1.28.15", "liberal"), { ...asymmetric, ...change }).expected,
        "pass",
      );
    });

  it("names rule and version in what it blocks", () => {
    const verdict = decideKubeProxyVerdict(variant("v1.28.15", "liberal"), asymmetric);
    assert.equal(verdict.expected, "blocked");
    assert.match("reason" in verdict ? verdict.reason : "", /v1\.28\.15.*ctstate INVALID -j DROP/);
  });
});
