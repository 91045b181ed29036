import assert from "node:assert/strict";
import type { TraceHop, TracePath, Trace } from "../trace.ts";
import { renderTrace } from "./render-trace.ts";

const REQUEST = { source: "10.233.64.1", destination: "10.233.0.10", sourcePort: 40000, destinationPort: 80 };
const TRANSLATED = { ...REQUEST, destination: "10.233.65.1", destinationPort: 8080 };
const RULE = { family: "ip", table: "filter", chain: "mine", text: "-A mine -j DROP", effect: "drop" };
const NAMES = new Map([
  ["a", "default/a"],
  ["n", "n1"],
]);

const makeHop = (more: Partial<TraceHop> = {}): TraceHop => ({
  namespace: { id: "n", kind: "node", name: "n1" },
  inLink: "cali1",
  outLink: "eth0",
  before: REQUEST,
  after: TRANSLATED,
  conntrackState: "new",
  mark: 0x4000,
  passes: [],
  events: [
    { kind: "route", text: "10.233.65.0/24 via 10.7.0.2 dev eth0" },
    { kind: "rule", hook: "forward", step: RULE },
  ],
  ...more,
});
const makeTrace = (verdict: Trace["verdict"], paths: TracePath[]): Trace => ({
  request: { source: "a", destination: "10.233.0.10", protocol: "tcp", port: 80 },
  verdict,
  paths,
});

describe("a trace as text", () => {
  const failure = {
    verdict: "drop",
    kind: "rule",
    namespace: "n",
    text: "a rule drops it",
    hook: "forward",
    rule: RULE,
  } as const;
  const dropped = renderTrace(
    makeTrace("drop", [
      {
        probability: 1,
        verdict: "drop",
        packets: [{ name: "SYN", direction: "request", hops: [makeHop()], failure }],
        failure,
      },
    ]),
    { names: NAMES },
  ).split("\n");

  it("begins with the result", () => {
    assert.equal(dropped[0], "tcp from default/a to 10.233.0.10:80 is dropped");
  });

  it("shows a hop with its links, both addresses, conntrack state and mark", () => {
    assert.ok(dropped.includes("  1. node n1 (in cali1, out eth0)"), dropped.join("\n"));
    assert.ok(
      dropped.includes(
        "     10.233.64.1:40000 -> 10.233.0.10:80  =>  10.233.64.1:40000 -> 10.233.65.1:8080, conntrack new, mark 0x4000",
      ),
    );
    assert.ok(dropped.includes("     route: 10.233.65.0/24 via 10.7.0.2 dev eth0"));
    assert.ok(dropped.includes("     forward: ip filter mine: -A mine -j DROP  [drop]"));
  });

  it("ends with the rule that drops and the remedy", () => {
    assert.match(
      dropped.slice(-4).join("\n"),
      /^The packet is dropped in n1: a rule of forward\n {2}ip filter mine: -A mine -j DROP\n {2}-> /,
    );
  });

  it("leaves rules out that only lead to others, unless all are asked for", () => {
    const jump = { kind: "rule", hook: "forward", step: { ...RULE, text: "-j other", effect: "jump other" } } as const;
    const trace = makeTrace("pass", [
      {
        probability: 1,
        verdict: "pass",
        packets: [{ name: "SYN", direction: "request", hops: [makeHop({ events: [jump] })] }],
      },
    ]);
    assert.doesNotMatch(renderTrace(trace, { names: NAMES }), /-j other/);
    assert.match(renderTrace(trace, { names: NAMES, allRules: true }), /-j other/);
  });

  it("shows every path of a random choice with its share", () => {
    const path = (probability: number): TracePath => ({
      probability,
      verdict: "pass",
      packets: [{ name: "reply", direction: "reply", hops: [makeHop({ after: REQUEST, mark: 0 })] }],
      server: { namespace: "n", address: "fd00::1", port: 8080 },
      seenSource: "10.233.64.1",
    });
    const text = renderTrace(makeTrace("pass", [path(0.333), path(0.667)]), { names: NAMES });
    assert.match(text, /Path 1 of 2, 33\.3 % of connections: passes/);
    assert.match(text, /The server is n1, \[fd00::1\]:8080; it sees 10\.233\.64\.1\./);
    assert.match(text, /^reply$/m);
  });
});
