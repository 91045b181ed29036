import assert from "node:assert/strict";
import { CLIENT_PORT } from "../../chosen-port.ts";
import { compileRules, createLookups, createPacket } from "../../../testing/trace-rules.ts";
import type { Hook } from "../../hook.ts";
import type { Packet, Translation } from "../../packet.ts";
import { evaluateHook } from "../evaluate-hook.ts";

const TABLE = { family: "inet", table: "t" };
const payload = (protocol: string, field: string) => ({ payload: { protocol, field } });
const match = (left: unknown, right: unknown, op = "==") => ({ match: { op, left, right } });
const DADDR = payload("ip", "daddr");
const DPORT = payload("th", "dport");
const MARK = { meta: { key: "mark" } };
const L4PROTO = { meta: { key: "l4proto" } };
const goto = (target: string) => ({ goto: { target } });

/** Objects of a table with named sets and a second chain, `other`, that drops. */
function createRuleset(hook: Hook, type: "filter" | "nat", rules: readonly (readonly unknown[])[]) {
  const named = (kind: "set" | "map", name: string, elem: readonly unknown[]) => ({ [kind]: { ...TABLE, name, elem } });
  return [
    named("map", "services", [
      [{ concat: ["10.233.0.1", "tcp", 80] }, goto("other")],
      [{ elem: { val: { concat: ["10.233.0.2", "udp", 53] }, comment: "dns" } }, { drop: null }],
    ]),
    named("map", "ranges", [
      [{ prefix: { addr: "10.233.0.0", len: 18 } }, { accept: null }],
      ["*", { drop: null }],
    ]),
    named("map", "endpoints", [[{ concat: ["10.233.0.1", 80] }, { concat: ["10.0.0.1", 8080] }]]),
    named("set", "affinity", [{ elem: { val: "10.7.0.9", expires: 10 } }]),
    { chain: { ...TABLE, name: "base", type, hook, prio: 0, policy: "accept" } },
    { chain: { ...TABLE, name: "other" } },
    { rule: { ...TABLE, chain: "other", expr: [{ drop: null }] } },
    ...rules.map((expr) => ({ rule: { ...TABLE, chain: "base", expr } })),
  ];
}

function evaluate(rules: readonly (readonly unknown[])[], fields: Partial<Packet> = {}, hook: Hook = "forward") {
  const type = hook === "forward" ? "filter" : "nat";
  const translations: (Translation | undefined)[] = [];
  const lookups = createLookups({
    translate: (packet, _hook, translation) => {
      translations.push(translation);
      return packet;
    },
  });
  const ruleset = compileRules({ nftables: createRuleset(hook, type, rules) });
  return { outcomes: evaluateHook(ruleset, hook, createPacket(fields), lookups), translations };
}

describe("nft statements", () => {
  const verdicts: readonly (readonly [string, readonly unknown[], string, Partial<Packet>?])[] = [
    [
      "a verdict map with the service",
      [{ vmap: { key: { concat: [DADDR, L4PROTO, DPORT] }, data: "@services" } }],
      "drop",
    ],
    [
      "a verdict map without the service",
      [{ vmap: { key: { concat: [DADDR, L4PROTO, DPORT] }, data: "@services" } }],
      "accept",
      { destinationPort: 81 },
    ],
    [
      "an element with a comment",
      [{ vmap: { key: { concat: [DADDR, L4PROTO, DPORT] }, data: "@services" } }],
      "drop",
      { destination: "10.233.0.2", protocol: "udp", destinationPort: 53 },
    ],
    ["a network in a verdict map", [{ vmap: { key: DADDR, data: "@ranges" } }], "accept"],
    [
      "the element for everything else",
      [{ vmap: { key: DADDR, data: "@ranges" } }],
      "drop",
      { destination: "8.8.8.8" },
    ],
    [
      "a verdict map of conntrack states",
      [
        {
          vmap: {
            key: { ct: { key: "state" } },
            data: {
              set: [
                ["established", { accept: null }],
                ["new", { drop: null }],
              ],
            },
          },
        },
      ],
      "drop",
    ],
    [
      "a set with the address",
      [match(payload("ip", "saddr"), "@affinity"), { drop: null }],
      "drop",
      { source: "10.7.0.9" },
    ],
    ["a set without the address", [match(payload("ip", "saddr"), "@affinity"), { drop: null }], "accept"],
    ["a missing set", [match(DADDR, "@missing"), { drop: null }], "unknown"],
    ["a missing chain", [{ jump: { target: "missing" } }], "unknown"],
    [
      "a field of IPv4 in an IPv6 packet",
      [match(DADDR, "10.0.0.1", "!="), { drop: null }],
      "accept",
      { family: "ipv6", source: "fd00::1", destination: "fd00::2" },
    ],
    [
      "a port of TCP in a datagram",
      [match(payload("tcp", "dport"), 1, "!="), { drop: null }],
      "accept",
      { protocol: "udp" },
    ],
    ["a rate", [{ limit: { rate: 5, per: "second" } }, { drop: null }], "unknown"],
    ["a rate before a log", [{ limit: { rate: 5, per: "second" } }, { log: { prefix: "x" } }], "accept"],
    ["a match of iptables", [{ xt: { type: "match", name: "u32" } }, { drop: null }], "unknown"],
    [
      "a match of iptables after another that fails",
      [match(DPORT, 81), { xt: { type: "match", name: "u32" } }, { drop: null }],
      "accept",
    ],
    ["a queue", [{ queue: { num: 1 } }], "unknown"],
    ["an unknown expression", [match({ nosuch: { key: "x" } }, 1), { drop: null }], "unknown"],
    ["the user of a socket", [match({ meta: { key: "skuid" } }, 0), { drop: null }], "unknown"],
    ["a flow table", [{ flow: { op: "add", flowtable: "@f" } }, { drop: null }], "drop"],
    ["raw payload", [match({ payload: { base: "nh", offset: 0, len: 8 } }, 69), { drop: null }], "unknown"],
  ];
  for (const [name, expressions, verdict, fields] of verdicts)
    it(`nft statements give the verdict ${verdict} for ${name}`, () => {
      assert.equal(evaluate([expressions], fields).outcomes[0]?.verdict, verdict);
    });

  const changes: readonly (readonly [string, unknown, Partial<Packet>, Partial<Packet>])[] = [
    [
      "toggle a bit of the mark",
      { mangle: { key: MARK, value: { "^": [MARK, 0x4000] } } },
      { mark: 0x4001 },
      { mark: 1 },
    ],
    [
      "set bits of the mark",
      { mangle: { key: MARK, value: { "|": [MARK, 0x80000000] } } },
      { mark: 1 },
      { mark: 0x80000001 },
    ],
    [
      "clear bits of the mark",
      { mangle: { key: MARK, value: { "&": [MARK, 0xffffbfff] } } },
      { mark: 0x4001 },
      { mark: 1 },
    ],
    ["restore the mark", { mangle: { key: MARK, value: { ct: { key: "mark" } } } }, { connmark: 7 }, { mark: 7 }],
    [
      "save the mark",
      { mangle: { key: { ct: { key: "mark" } }, value: { "|": [{ "&": [MARK, 0xff] }, 0x100] } } },
      { mark: 0xf07 },
      { connmark: 0x107 },
    ],
    [
      "exempt an invalid packet from conntrack",
      { notrack: null },
      { conntrackState: "invalid" },
      { conntrackState: "untracked" },
    ],
    ["keep the entry of a tracked packet", { notrack: null }, {}, {}],
    ["set the TTL", { mangle: { key: payload("ip", "ttl"), value: 9 } }, {}, { ttl: 9 }],
    [
      "write an address without conntrack",
      { mangle: { key: DADDR, value: "10.0.0.9" } },
      {},
      { destination: "10.0.0.9" },
    ],
    [
      "clamp the segment size",
      { mangle: { key: { "tcp option": { name: "maxseg" } }, value: { rt: { key: "mtu" } } } },
      {},
      {},
    ],
  ];
  for (const [name, statement, before, after] of changes)
    it(name, () => {
      const [outcome] = evaluate([[statement]], before).outcomes;
      assert.deepEqual(outcome?.packet, createPacket({ ...before, ...after }));
    });

  const single = (address: string): [string, string] => [address, address];
  const translations: readonly (readonly [string, unknown, Hook, Translation])[] = [
    [
      "dnat with a port",
      { dnat: { family: "ip", addr: "10.0.0.1", port: 8080 } },
      "prerouting",
      { kind: "dnat", addresses: single("10.0.0.1"), ports: [8080, 8080] },
    ],
    [
      "dnat to a range",
      { dnat: { addr: { range: ["10.0.0.1", "10.0.0.4"] } } },
      "prerouting",
      { kind: "dnat", addresses: ["10.0.0.1", "10.0.0.4"] },
    ],
    [
      "dnat by a map of addresses",
      { dnat: { addr: { map: { key: DADDR, data: { set: [["10.233.0.1", "10.0.0.7"]] } } } } },
      "prerouting",
      { kind: "dnat", addresses: single("10.0.0.7") },
    ],
    [
      "dnat by a map of addresses and ports",
      {
        dnat: {
          family: "ip",
          addr: { map: { key: { concat: [DADDR, payload("tcp", "dport")] }, data: "@endpoints" } },
        },
      },
      "prerouting",
      { kind: "dnat", addresses: single("10.0.0.1"), ports: [8080, 8080] },
    ],
    [
      "snat",
      { snat: { addr: "10.7.0.1", flags: ["fully-random"] } },
      "postrouting",
      { kind: "snat", addresses: single("10.7.0.1"), isPortRandom: true },
    ],
    [
      "masquerade",
      { masquerade: { flags: "fully-random" } },
      "postrouting",
      { kind: "masquerade", isPortRandom: true },
    ],
    ["masquerade without options", { masquerade: null }, "postrouting", { kind: "masquerade" }],
    ["redirect", { redirect: { port: 8080 } }, "prerouting", { kind: "redirect", ports: [8080, 8080] }],
  ];
  for (const [name, statement, hook, translation] of translations)
    it(`ask for the translation of ${name}`, () => {
      assert.deepEqual(evaluate([[statement]], {}, hook).translations, [translation]);
    });

  it("match a port that a kernel chooses for a share of the packets", () => {
    const rule = [match(payload("tcp", "sport"), { range: [1024, 50_000] }), { drop: null }];
    const { outcomes } = evaluate([rule], { sourcePort: CLIENT_PORT });
    assert.deepEqual(outcomes.map(({ verdict, probability }) => [verdict, probability?.toFixed(2)]).sort(), [
      ["accept", "0.39"],
      ["drop", "0.61"],
    ]);
  });

  it("leave a packet of the other family to the next rule of a nat chain", () => {
    const rules = [[{ dnat: { family: "ip6", addr: "fd00::1" } }], [{ dnat: { family: "ip", addr: "10.0.0.1" } }]];
    assert.deepEqual(evaluate(rules, {}, "prerouting").translations, [{ kind: "dnat", addresses: single("10.0.0.1") }]);
  });

  it("split the packets by numgen, one branch per result", () => {
    const data = {
      set: [
        [0, { drop: null }],
        [{ range: [1, 3] }, { accept: null }],
      ],
    };
    const { outcomes } = evaluate([[{ vmap: { key: { numgen: { mode: "random", mod: 4, offset: 0 } }, data } }]]);
    assert.deepEqual(
      outcomes.map(({ verdict, probability }) => [verdict, probability]),
      [
        ["drop", 0.25],
        ["accept", 0.75],
      ],
    );
  });

  it("nft statements do not split the packets if every random number leads to the same", () => {
    const data = { set: [[0, { drop: null }]] };
    const { outcomes } = evaluate([[{ vmap: { key: { numgen: { mode: "random", mod: 1, offset: 0 } }, data } }]]);
    assert.deepEqual(
      outcomes.map(({ verdict, probability }) => [verdict, probability]),
      [["drop", undefined]],
    );
  });

  it("remember what a rule adds to a set", () => {
    const update = { set: { op: "update", elem: payload("ip", "saddr"), set: "@affinity" } };
    const rules = [[update], [match(payload("ip", "saddr"), "@affinity"), { drop: null }]];
    assert.equal(evaluate(rules).outcomes[0]?.verdict, "drop");
  });

  it("report what a reject answers", () => {
    const answer = (statement: unknown) => evaluate([[statement]]).outcomes[0]?.rejectWith;
    assert.equal(answer({ reject: { type: "tcp reset" } }), "tcp-reset");
    assert.equal(answer({ reject: { type: "icmpx", expr: "admin-prohibited" } }), "icmpx-admin-prohibited");
    assert.equal(answer({ reject: null }), "icmpx-port-unreachable");
  });
});
