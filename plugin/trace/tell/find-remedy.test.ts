import assert from "node:assert/strict";
import type { RuleStep } from "../hook.ts";
import type { TraceFailure } from "../trace.ts";
import { findRemedy } from "./find-remedy.ts";

const makeFailure = (rule?: Partial<RuleStep>, more: Partial<TraceFailure> = {}): TraceFailure => ({
  verdict: "drop",
  kind: "rule",
  namespace: "n",
  text: "",
  ...(rule === undefined
    ? {}
    : { rule: { family: "ip", table: "filter", chain: "FORWARD", text: "", effect: "drop", ...rule } }),
  ...more,
});

describe("remedies of a failed trace", () => {
  for (const [what, rule, expected] of [
    [
      "kube-proxy's INVALID rule in iptables mode",
      { chain: "KUBE-FORWARD", text: "-A KUBE-FORWARD -m conntrack --ctstate INVALID -j DROP" },
      /returnPath: notrack/,
    ],
    [
      "kube-proxy's INVALID rule in nftables mode",
      { table: "kube-proxy", chain: "forward", text: "ct state invalid drop" },
      /returnPath: notrack/,
    ],
    ["Calico's rule for INVALID packets", { chain: "cali-tw-cali1", text: "--ctstate INVALID -j DROP" }, /another way/],
    [
      "a network policy",
      { chain: "cali-tw-cali1", text: '-m comment --comment "Drop if no policies passed packet"' },
      /network policy/,
    ],
    [
      "a Service without endpoints",
      { chain: "KUBE-SERVICES", text: '"x has no endpoints" -j REJECT' },
      /no ready endpoint/,
    ],
    [
      "policy Local without a local endpoint",
      { chain: "KUBE-SVL-ABC", text: "-j DROP" },
      /policy is Local|Policy is Local/,
    ],
    ["the policy of FORWARD", { text: "policy drop" }, /ForwardingReady/],
    ["a rule of software that is not known", { chain: "mine" }, /which software made this rule/],
  ] as const)
    it(`knows ${what}`, () => {
      assert.match(findRemedy(makeFailure(rule)) ?? "", expected);
    });

  it("a failure without a rule has the remedy of its kind", () => {
    assert.match(findRemedy(makeFailure(undefined, { kind: "reverse-path-filter" })) ?? "", /rp_filter/);
  });

  it("an unknown verdict has none", () => {
    assert.equal(findRemedy(makeFailure({}, { verdict: "unknown" })), undefined);
  });
});
