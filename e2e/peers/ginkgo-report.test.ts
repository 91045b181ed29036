import assert from "node:assert/strict";
import { parseGinkgoReport } from "./ginkgo-report.ts";
import type { KnownSkip } from "./known-skips.ts";

const FOCUS = /\[sig-network\].*\[Conformance\]/;
const KNOWN: readonly KnownSkip[] = [
  { suite: "sig-network", podTypes: ["underlay"], spec: "should use (odd) ports", reason: "there are none" },
];

const createSpec = (leaf: string, state: string, failure?: object, type = "It") => ({
  ContainerHierarchyTexts: ["[sig-network] Services"],
  LeafNodeType: type,
  LeafNodeText: leaf,
  State: state,
  RunTime: 1_500_000_000,
  ...(failure === undefined ? {} : { Failure: failure }),
});
const parse = (...specs: readonly object[]) =>
  parseGinkgoReport(JSON.stringify([{ SpecReports: specs }]), FOCUS, KNOWN);

describe("parseGinkgoReport", () => {
  it("returns passed specs under their full name, with seconds", () => {
    assert.deepEqual(parse(createSpec("should serve [Conformance]", "passed")), [
      { name: "[sig-network] Services should serve [Conformance]", status: "passed", seconds: 1.5 },
    ]);
  });

  it("returns failed and timed-out specs with message and place", () => {
    const failure = {
      Message: "no answer",
      Location: { FileName: "k8s.io/kubernetes/test/e2e/network/service.go", LineNumber: 7 },
    };
    const results = parse(
      createSpec("a [Conformance]", "failed", failure),
      createSpec("b [Conformance]", "timedout", failure),
    );
    assert.deepEqual(
      results.map(({ status, error }) => [status, error]),
      [
        ["failed", "failed: no answer (test/e2e/network/service.go:7)"],
        ["failed", "timedout: no answer (test/e2e/network/service.go:7)"],
      ],
    );
  });

  it("leaves out specs that the focus does not select", () => {
    assert.deepEqual(parse(createSpec("should scale [Slow]", "skipped")), []);
  });

  it("returns known skips with their reason", () => {
    const [result] = parse(createSpec("should use (odd) ports [Conformance]", "skipped"));
    assert.deepEqual([result?.status, result?.error], ["skipped", "there are none"]);
  });

  it("returns specs that skip themselves with their message", () => {
    const [result] = parse(createSpec("a [Conformance]", "skipped", { Message: "needs two zones" }));
    assert.deepEqual([result?.status, result?.error], ["skipped", "needs two zones"]);
  });

  it("returns a failed set-up of the suite, and the specs that it kept from running", () => {
    const results = parse(
      {
        ...createSpec("", "failed", { Message: "no nodes" }, "SynchronizedBeforeSuite"),
        ContainerHierarchyTexts: null,
      },
      createSpec("a [Conformance]", "skipped"),
    );
    assert.deepEqual(
      results.map(({ name, status, error }) => [name, status, error]),
      [
        ["SynchronizedBeforeSuite", "failed", "failed: no nodes"],
        ["[sig-network] Services a [Conformance]", "skipped", "Ginkgo ended before this spec ran"],
      ],
    );
  });

  it("returns failures of the suite as a whole", () => {
    const report = JSON.stringify([{ SpecReports: [], SpecialSuiteFailureReasons: ["Suite Timeout Elapsed"] }]);
    assert.equal(parseGinkgoReport(report, FOCUS, [])[0]?.status, "failed");
  });

  it("throws on text that is not a report", () => {
    assert.throws(() => parseGinkgoReport('{"suites": 1}', FOCUS, []));
  });
});
