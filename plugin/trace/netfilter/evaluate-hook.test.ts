import assert from "node:assert/strict";
import { compileRules, createLookups, createPacket } from "../../testing/trace-rules.ts";
import type { Packet } from "../packet.ts";
import { listUnsupportedParts } from "./compile-ruleset.ts";
import { evaluateHook } from "./evaluate-hook.ts";

/** Rules of the table filter with the chain FORWARD and chains A and B. */
function compileForward(rules: readonly string[], policy = "ACCEPT") {
  const lines = ["*filter", `:FORWARD ${policy} [0:0]`, ":A - [0:0]", ":B - [0:0]", ...rules, "COMMIT", ""];
  return compileRules({ iptables: lines.join("\n") });
}

function forward(rules: readonly string[], packet: Partial<Packet> = {}, policy?: string) {
  return evaluateHook(compileForward(rules, policy), "forward", createPacket(packet), createLookups());
}

const nftChain = (table: string, name: string, hook: string, prio: number, type = "filter") => ({
  chain: { family: "inet", table, name, type, hook, prio, policy: "accept" },
});
const nftRule = (table: string, chain: string, expr: readonly unknown[]) => ({
  rule: { family: "inet", table, chain, expr },
});

describe("evaluation of a hook", () => {
  it("accepts a packet in a namespace without rules", () => {
    const packet = createPacket();
    assert.deepEqual(evaluateHook(compileRules({}), "forward", packet, createLookups()), [
      { verdict: "accept", packet, steps: [] },
    ]);
  });

  it("returns from a chain to the rule after the jump", () => {
    const [outcome] = forward(["-A FORWARD -j A", "-A FORWARD -j DROP", "-A A -j RETURN", "-A A -j ACCEPT"]);
    assert.equal(outcome?.verdict, "drop");
    assert.deepEqual(
      outcome.steps.map(({ chain, effect }) => `${chain} ${effect}`),
      ["FORWARD jump A", "A return", "FORWARD drop"],
    );
  });

  it("returns from a chain entered by goto to the caller's caller", () => {
    const rules = ["-A FORWARD -j A", "-A FORWARD -j DROP", "-A A -g B", "-A A -j ACCEPT", "-A B -j RETURN"];
    assert.equal(forward(rules)[0]?.verdict, "drop");
  });

  it("applies the policy at the end of a base chain and names it", () => {
    const [outcome] = forward(["-A FORWARD -j A"], {}, "DROP");
    assert.equal(outcome?.verdict, "drop");
    assert.equal(outcome.steps.at(-1)?.text, "policy drop");
  });

  it("leaves a base chain with its policy on RETURN", () => {
    assert.equal(forward(["-A FORWARD -j RETURN", "-A FORWARD -j ACCEPT"], {}, "DROP")[0]?.verdict, "drop");
  });

  it("finds a Service among many, and the rules for every destination around it", () => {
    const services = Array.from({ length: 40 }, (_, index) => `-A FORWARD -d 10.233.0.${index}/32 -j A`);
    const mark = (value: number) => `-A FORWARD ! -d 10.9.9.9/32 -j MARK --set-xmark 0x${value}/0x0`;
    const [outcome] = forward([mark(1), ...services, mark(2), "-A FORWARD -d 10.233.0.0/24 -j DROP"]);
    assert.deepEqual(
      outcome?.steps.map(({ effect }) => effect),
      ["mark 0x1", "jump A", "mark 0x3", "drop"],
    );
  });

  it("splits the packets where a rule chooses at random", () => {
    const rules = [
      "-A FORWARD -m statistic --mode random --probability 0.25000000000 -j MARK --set-xmark 0x1/0xffffffff",
      "-A FORWARD -m mark --mark 0x1 -j DROP",
    ];
    assert.deepEqual(
      forward(rules).map(({ verdict, probability }) => [verdict, probability]),
      [
        ["drop", 0.25],
        ["accept", 0.75],
      ],
    );
  });

  it("does not ask a rule that only logs for a rate", () => {
    const rules = ["-A FORWARD -m limit --limit 5/min -j LOG", "-A FORWARD -j ACCEPT"];
    assert.equal(forward(rules)[0]?.verdict, "accept");
  });

  it("is certain if an undecided rule makes no difference", () => {
    const rules = ["-A FORWARD -m limit --limit 5/min -j ACCEPT", "-A FORWARD -j ACCEPT"];
    assert.equal(forward(rules)[0]?.verdict, "accept");
  });

  it("is unknown if an undecided rule decides, and names the rule", () => {
    const [outcome] = forward(["-A FORWARD -m limit --limit 5/min -j ACCEPT", "-A FORWARD -j DROP"]);
    assert.equal(outcome?.verdict, "unknown");
    assert.deepEqual(outcome.steps.at(-1), {
      family: "ip",
      table: "filter",
      chain: "FORWARD",
      text: "-A FORWARD -m limit --limit 5/min -j ACCEPT",
      effect: "unknown: -m limit --limit 5/min",
    });
  });

  it("calls a packet unknown after many undecided rules instead of following every combination", () => {
    const rules = Array.from(
      { length: 40 },
      (_, bit) => `-A FORWARD -m limit --limit 1/s -j MARK --set-xmark 0x${bit}/0x0`,
    );
    assert.equal(forward(rules)[0]?.verdict, "unknown");
  });

  it("calls chains of all tables in the order of priorities", () => {
    const setMark = (mark: number) => [{ mangle: { key: { meta: { key: "mark" } }, value: mark } }];
    const ruleset = compileRules({
      nftables: [
        nftChain("late", "c", "prerouting", 10),
        nftRule("late", "c", setMark(3)),
        nftChain("early", "c", "prerouting", -310),
        nftRule("early", "c", setMark(1)),
      ],
      iptables: "*mangle\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -j MARK --set-xmark 0x2/0xffffffff\nCOMMIT\n",
    });
    const [outcome] = evaluateHook(ruleset, "prerouting", createPacket({ conntrackState: undefined }), createLookups());
    assert.deepEqual(
      outcome?.steps.map(({ table }) => table),
      ["early", "mangle", "late"],
    );
  });

  it("tracks between the tables raw and mangle, unless raw exempts the packet", () => {
    const saved = (table: string, rule: string) =>
      `*${table}\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING ${rule}\nCOMMIT\n`;
    const lookups = createLookups({ track: (packet) => ({ ...packet, conntrackState: "invalid" }) });
    const drop = saved("mangle", "-m conntrack --ctstate INVALID -j DROP");
    const evaluate = (text: string) =>
      evaluateHook(
        compileRules({ iptables: text }),
        "prerouting",
        createPacket({ conntrackState: undefined }),
        lookups,
      )[0];
    assert.equal(evaluate(drop)?.verdict, "drop");
    assert.equal(evaluate(saved("raw", "-j CT --notrack") + drop)?.packet.conntrackState, "untracked");
  });

  describe("of nat chains", () => {
    const translateTo = (address: string) => [{ dnat: { family: "ip", addr: address } }];
    const ruleset = compileRules({
      nftables: [
        nftChain("second", "c", "prerouting", -90, "nat"),
        nftRule("second", "c", translateTo("10.0.0.2")),
        nftChain("first", "c", "prerouting", -110, "nat"),
        nftRule("first", "c", translateTo("10.0.0.1")),
        nftChain("filter", "c", "prerouting", -105),
        nftRule("filter", "c", [
          { match: { op: "==", left: { payload: { protocol: "ip", field: "daddr" } }, right: "10.0.0.1" } },
          { drop: null },
        ]),
      ],
    });

    it("takes the first translation, at the nat priority whatever the chain's own is", () => {
      const [outcome] = evaluateHook(ruleset, "prerouting", createPacket(), createLookups());
      assert.equal(outcome?.verdict, "accept");
      assert.equal(outcome.packet.destination, "10.0.0.1");
    });

    it("leaves a connection that already has its translation to conntrack", () => {
      const [outcome] = evaluateHook(
        ruleset,
        "prerouting",
        createPacket({ conntrackState: "established" }),
        createLookups({ translate: (packet) => ({ ...packet, destination: "10.9.9.9" }) }),
      );
      assert.deepEqual([outcome?.packet.destination, outcome?.steps], ["10.9.9.9", []]);
    });

    it("skips packets without conntrack entry", () => {
      for (const conntrackState of ["invalid", "untracked"] as const) {
        const [outcome] = evaluateHook(ruleset, "prerouting", createPacket({ conntrackState }), createLookups());
        assert.equal(outcome?.packet.destination, "10.233.0.1");
      }
    });
  });

  it("takes a table of iptables-nft from iptables-save, and one that iptables cannot print from nft", () => {
    const xt = [{ xt: { type: "match", name: "conntrack" } }, { drop: null }];
    const chain = { family: "ip", table: "filter", name: "FORWARD", type: "filter", hook: "forward", prio: 0 };
    const nftables = [{ chain }, { rule: { family: "ip", table: "filter", chain: "FORWARD", expr: xt } }];
    const saved = "*filter\n:FORWARD ACCEPT [0:0]\n-A FORWARD -m conntrack --ctstate INVALID -j DROP\nCOMMIT\n";
    const evaluate = (iptables: string) =>
      evaluateHook(compileRules({ nftables, iptables }), "forward", createPacket(), createLookups())[0]?.verdict;
    assert.equal(evaluate(saved), "accept");
    assert.equal(evaluate("# Table `filter' is incompatible, use 'nft' tool.\n"), "unknown");
  });

  it("follows a chain at ingress only for its link, and both ways if the link is not known", () => {
    const chain = { family: "netdev", table: "t", name: "c", type: "filter", hook: "ingress", prio: 0 };
    const rule = { rule: { family: "netdev", table: "t", chain: "c", expr: [{ drop: null }] } };
    const evaluate = (dev: object) =>
      evaluateHook(
        compileRules({ nftables: [{ chain: { ...chain, ...dev } }, rule] }),
        "ingress",
        createPacket(),
        createLookups(),
      )[0]?.verdict;
    assert.equal(evaluate({ dev: "eth0" }), "drop");
    assert.equal(evaluate({ dev: ["eth1", "eth2"] }), "accept");
    assert.equal(evaluate({}), "unknown");
  });

  it("lists the parts of rules that it does not know", () => {
    const parts = listUnsupportedParts(
      compileForward([
        "-A A -m nosuchmatch -j DROP",
        "-A A -m limit --limit 1/s -j DROP",
        "-A B -j NFQUEUE --queue-num 1",
      ]),
    );
    assert.deepEqual(
      parts.map(({ chain, part }) => `${chain}: ${part}`),
      ["A: -m nosuchmatch", "B: -j NFQUEUE --queue-num 1"],
    );
  });
});
