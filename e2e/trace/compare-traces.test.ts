import assert from "node:assert/strict";
import type { TracePath, Trace } from "../../plugin/trace/trace.ts";
import { compareTrace, countJudgements, predictResult } from "./compare-traces.ts";

const makePath = (verdict: TracePath["verdict"], more: Partial<TracePath> = {}): TracePath => ({
  probability: 1,
  verdict,
  packets: [],
  ...(verdict === "pass" ? {} : { failure: { verdict, kind: "rule", namespace: "n1", text: "a rule drops it" } }),
  ...more,
});
const makeTrace = (verdict: Trace["verdict"], ...paths: TracePath[]): Trace => ({
  request: { source: "a", destination: "10.0.0.1", protocol: "tcp", port: 80 },
  verdict,
  paths: paths.length === 0 ? [makePath(verdict)] : paths,
});

describe("traces compared with probes", () => {
  for (const [verdicts, predicted] of [
    [["pass"], "pass"],
    [["drop"], "fail"],
    [["reject"], "fail"],
    [["drop", "reject"], "fail"],
    [["unknown"], "unknown"],
    [["pass", "drop"], "random"],
    [["pass", "unknown", "reject"], "random"],
    [["pass", "unknown"], "unknown"],
    [["drop", "unknown"], "unknown"],
  ] as const)
    it(`paths that end with ${verdicts.join(" and ")} are predicted as ${predicted}`, () => {
      assert.equal(predictResult({ paths: verdicts.map((verdict) => makePath(verdict)) }), predicted);
    });

  it("a failed cell whose server saw the client has arrived", () => {
    const cell = compareTrace(makeTrace("pass"), { id: "c", actual: "fail", seen: "10.0.0.9" });
    assert.deepEqual([cell.arrived, cell.judgement], [true, "right"]);
  });

  it("paths that pass and paths that fail are random, whatever the probe shows", () => {
    const trace = makeTrace("drop", makePath("pass", { probability: 0.5 }), makePath("drop", { probability: 0.5 }));
    for (const actual of ["pass", "fail"] as const)
      assert.equal(compareTrace(trace, { id: "c", actual }).judgement, "random");
  });

  it("a failed prediction has its reason", () => {
    assert.equal(compareTrace(makeTrace("drop"), { id: "c", actual: "pass" }).reason, "n1: a rule drops it");
  });

  it("another source than the server saw is counted, also if the cell passes", () => {
    const trace = makeTrace("pass", makePath("pass", { seenSource: "10.0.0.1" }));
    const wrong = compareTrace(trace, { id: "c", actual: "pass", seen: "10.0.0.2" });
    const right = compareTrace(trace, { id: "d", actual: "pass", seen: "10.0.0.1" });
    assert.deepEqual(wrong.wrongSource, { predicted: "10.0.0.1", seen: "10.0.0.2" });
    assert.deepEqual(countJudgements([wrong, right]), {
      right: 2,
      "false-green": 0,
      "false-red": 0,
      unknown: 0,
      random: 0,
      wrongSource: 1,
      wrongPath: 0,
    });
  });

  it("compares the hops of a cell that passed with the captured ones", () => {
    const hop = { link: "eth0", direction: "out", source: "10.0.0.1:1", destination: "10.0.0.2:2" } as const;
    const path = { request: [{ ...hop, place: "a" }], reply: [{ ...hop, place: "b" }] };
    const result = { id: "c", actual: "pass", evidence: { path: { expected: path, seen: path } } } as const;
    const compare = (predicted: typeof path) => compareTrace(makeTrace("pass"), result, predicted).wrongPath;
    assert.equal(compare(path), undefined);
    assert.equal(compare({ ...path, reply: [] }), "predicted a eth0 out; captured a eth0 out, b eth0 out");
  });
});
