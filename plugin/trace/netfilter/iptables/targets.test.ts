import assert from "node:assert/strict";
import { compileRules, createLookups, createPacket } from "../../../testing/trace-rules.ts";
import type { Hook, Outcome } from "../../hook.ts";
import type { Packet, Translation } from "../../packet.ts";
import { evaluateHook } from "../evaluate-hook.ts";

/** Evaluates one rule in a table at the hook prerouting. */
function applyTarget(table: string, target: string, fields: Partial<Packet>, hook: Hook = "prerouting") {
  const chain = hook.toUpperCase();
  const ruleset = compileRules({ iptables: `*${table}\n:${chain} ACCEPT [0:0]\n-A ${chain} -j ${target}\nCOMMIT\n` });
  const translations: (Translation | undefined)[] = [];
  const translate = (packet: Packet, _hook: Hook, translation: Translation | undefined) => {
    translations.push(translation);
    return packet;
  };
  const [outcome] = evaluateHook(ruleset, hook, createPacket(fields), createLookups({ translate }));
  assert.ok(outcome !== undefined);
  return { outcome, translations };
}

describe("iptables targets", () => {
  const verdicts: readonly (readonly [string, Outcome["verdict"]])[] = [
    ["ACCEPT", "accept"],
    ["DROP", "drop"],
    ["RETURN", "accept"],
    ["REJECT --reject-with tcp-reset", "reject"],
    ["LOG --log-prefix x", "accept"],
    ["NFQUEUE --queue-num 0", "unknown"],
    ["NOSUCHTARGET", "unknown"],
  ];
  for (const [target, verdict] of verdicts)
    it(`iptables targets give the verdict ${verdict} for ${target}`, () => {
      assert.equal(applyTarget("mangle", target, {}).outcome.verdict, verdict);
    });

  const changes: readonly (readonly [string, Partial<Packet>, Partial<Packet>])[] = [
    ["MARK --set-xmark 0x4000/0x4000", { mark: 1 }, { mark: 0x4001 }],
    ["MARK --set-xmark 0x0/0x4000", { mark: 0x4001 }, { mark: 1 }],
    ["MARK --set-xmark 0x80000000/0x80000000", {}, { mark: 0x80000000 }],
    ["MARK --and-mark 0xf0", { mark: 0xff }, { mark: 0xf0 }],
    ["CONNMARK --set-xmark 0x5/0xf", { connmark: 0x13 }, { connmark: 0x15 }],
    ["CONNMARK --save-mark --nfmask 0xf --ctmask 0xf", { mark: 0x27, connmark: 0x10 }, { connmark: 0x17 }],
    ["CONNMARK --restore-mark --nfmask 0xff --ctmask 0xff", { mark: 0x105, connmark: 0x7 }, { mark: 0x107 }],
    ["CONNMARK --restore-mark", { mark: 5, conntrackState: "invalid" }, { mark: 5 }],
    ["CT --notrack", { conntrackState: "invalid" }, { conntrackState: "untracked" }],
    ["CT --notrack", { conntrackState: undefined }, { conntrackState: "untracked" }],
    ["CT --notrack", {}, { conntrackState: "new" }],
    ["CT --zone 3", { conntrackState: undefined }, { conntrackZone: 3 }],
    ["TTL --ttl-dec 1", { ttl: 64 }, { ttl: 63 }],
    ["TCPMSS --clamp-mss-to-pmtu", {}, {}],
  ];
  for (const [target, before, after] of changes)
    it(`change ${JSON.stringify(before)} to ${JSON.stringify(after)} with ${target}`, () => {
      const table = target.startsWith("CT ") ? "raw" : "mangle";
      const { packet } = applyTarget(table, target, before).outcome;
      assert.deepEqual(packet, createPacket({ ...before, conntrackState: packet.conntrackState, ...after }));
    });

  const translations: readonly (readonly [string, Hook, Translation, string])[] = [
    [
      "DNAT --to-destination 10.0.0.1:8080",
      "prerouting",
      { kind: "dnat", addresses: ["10.0.0.1", "10.0.0.1"], ports: [8080, 8080] },
      "dnat to 10.0.0.1:8080",
    ],
    [
      "DNAT --to-destination 10.0.0.1-10.0.0.4:80-90 --random",
      "prerouting",
      { kind: "dnat", addresses: ["10.0.0.1", "10.0.0.4"], ports: [80, 90] },
      "dnat to 10.0.0.1-10.0.0.4:80-90",
    ],
    ["DNAT --to-destination :81", "prerouting", { kind: "dnat", ports: [81, 81] }, "dnat to :81"],
    [
      "DNAT --to-destination [fd00::1]:80",
      "prerouting",
      { kind: "dnat", addresses: ["fd00::1", "fd00::1"], ports: [80, 80] },
      "dnat to [fd00::1]:80",
    ],
    [
      "SNAT --to-source 10.7.0.1",
      "postrouting",
      { kind: "snat", addresses: ["10.7.0.1", "10.7.0.1"] },
      "snat to 10.7.0.1",
    ],
    ["MASQUERADE", "postrouting", { kind: "masquerade" }, "masquerade"],
    ["MASQUERADE --random-fully", "postrouting", { kind: "masquerade", isPortRandom: true }, "masquerade"],
    ["REDIRECT --to-ports 8080", "prerouting", { kind: "redirect", ports: [8080, 8080] }, "redirect to :8080"],
    [
      "NETMAP --to 10.5.0.0/16",
      "prerouting",
      { kind: "dnat", addresses: ["10.5.0.1", "10.5.0.1"] },
      "dnat to 10.5.0.1",
    ],
  ];
  for (const [target, hook, translation, effect] of translations)
    it(`ask for the translation of ${target}`, () => {
      const { outcome, translations: results } = applyTarget("nat", target, {}, hook);
      assert.deepEqual(results, [translation]);
      assert.equal(outcome.steps[0]?.effect, effect);
    });

  it("report what a reject answers", () => {
    const { outcome } = applyTarget("mangle", "REJECT --reject-with icmp-host-prohibited", {});
    assert.equal(outcome.rejectWith, "icmp-host-prohibited");
  });
});
