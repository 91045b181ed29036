import assert from "node:assert/strict";
import { formatNftRule } from "./format-rule.ts";

const payload = (protocol: string, field: string) => ({ payload: { protocol, field } });
const MARK = { meta: { key: "mark" } };

describe("text of an nft rule", () => {
  const cases: readonly (readonly [string, readonly unknown[]])[] = [
    [
      'iifname "vethil*" ip daddr @overlay4 ct state invalid notrack',
      [
        { match: { op: "==", left: { meta: { key: "iifname" } }, right: "vethil*" } },
        { match: { op: "==", left: payload("ip", "daddr"), right: "@overlay4" } },
        { match: { op: "in", left: { ct: { key: "state" } }, right: "invalid" } },
        { counter: { packets: 1, bytes: 60 } },
        { notrack: null },
      ],
    ],
    [
      "ip daddr . meta l4proto . th dport vmap @service-ips",
      [
        {
          vmap: {
            key: { concat: [payload("ip", "daddr"), { meta: { key: "l4proto" } }, payload("th", "dport")] },
            data: "@service-ips",
          },
        },
      ],
    ],
    [
      "numgen random mod 2 vmap { 0 : goto a, 1 : drop }",
      [
        {
          vmap: {
            key: { numgen: { mode: "random", mod: 2, offset: 0 } },
            data: {
              set: [
                [0, { goto: { target: "a" } }],
                [1, { drop: null }],
              ],
            },
          },
        },
      ],
    ],
    [
      "meta mark & 0x4000 == 0x4000 meta mark set meta mark ^ 0x4000 masquerade fully-random",
      [
        { match: { op: "==", left: { "&": [MARK, 16384] }, right: 16384 } },
        { mangle: { key: MARK, value: { "^": [MARK, 16384] } } },
        { masquerade: { flags: "fully-random" } },
      ],
    ],
    [
      "ip saddr != 10.0.0.0/8 tcp dport { 22, 80-90 } dnat ip to 10.0.0.1:8080",
      [
        { match: { op: "!=", left: payload("ip", "saddr"), right: { prefix: { addr: "10.0.0.0", len: 8 } } } },
        { match: { op: "==", left: payload("tcp", "dport"), right: { set: [22, { range: [80, 90] }] } } },
        { dnat: { family: "ip", addr: "10.0.0.1", port: 8080 } },
      ],
    ],
    [
      "fib saddr . iif oif missing limit rate 5/second reject with icmpx admin-prohibited",
      [
        { match: { op: "==", left: { fib: { result: "oif", flags: ["saddr", "iif"] } }, right: false } },
        { limit: { rate: 5, burst: 5, per: "second" } },
        { reject: { type: "icmpx", expr: "admin-prohibited" } },
      ],
    ],
    ["update @clients { ip saddr }", [{ set: { op: "update", elem: payload("ip", "saddr"), set: "@clients" } }]],
    ['log prefix "x " xt target LOG', [{ log: { prefix: "x " } }, { xt: { type: "target", name: "LOG" } }]],
  ];
  for (const [text, expressions] of cases)
    it(`is ${text}`, () => {
      assert.equal(formatNftRule(expressions), text);
    });

  it("ends with the rule's comment", () => {
    assert.equal(formatNftRule([{ drop: null }], "source-guard"), 'drop comment "source-guard"');
  });
});
