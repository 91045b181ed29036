import assert from "node:assert/strict";
import { parseRuleArguments } from "./rule-arguments.ts";

describe("arguments of an iptables rule", () => {
  it("arguments of an iptables rule are split by the extension that they belong to", () => {
    const rule =
      '! -s 10.0.0.0/8 -p tcp -m multiport ! --dports 80,443 -m comment --comment "a \\"b\\" -c" -j DNAT --to-destination 10.0.0.1:80';
    assert.deepEqual(parseRuleArguments(rule), {
      options: [
        { name: "-s", values: ["10.0.0.0/8"], inverted: true },
        { name: "-p", values: ["tcp"], inverted: false },
      ],
      matches: [
        { name: "multiport", options: [{ name: "--dports", values: ["80,443"], inverted: true }] },
        { name: "comment", options: [{ name: "--comment", values: ['a "b" -c'], inverted: false }] },
      ],
      target: {
        name: "DNAT",
        goesTo: false,
        options: [{ name: "--to-destination", values: ["10.0.0.1:80"], inverted: false }],
      },
    });
  });

  it("arguments of an iptables rule have no target if the rule only counts", () => {
    assert.deepEqual(parseRuleArguments("-i eth0"), {
      options: [{ name: "-i", values: ["eth0"], inverted: false }],
      matches: [],
    });
  });
});
