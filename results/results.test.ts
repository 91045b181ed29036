import assert from "node:assert/strict";
import { mkdtemp, readFile, readlink, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type CellResult, type Report, RESULTS_SCHEMA, type VariantResult } from "./schema.ts";
import { summarize } from "./table.ts";
import { writeReport } from "./write.ts";

const cell = (change: Partial<CellResult> = {}): CellResult => ({
  id: "matrix underlay-0a overlay-1b tcp",
  from: "underlay-0a",
  to: "overlay-1b",
  attempts: 1,
  source: "underlay",
  target: "overlay",
  group: "matrix",
  address: "10.233.64.5:8080",
  placement: "other-node",
  family: "ipv4",
  protocol: "tcp",
  expected: "pass",
  actual: "pass",
  ok: true,
  latencyMs: 1.5,
  ...change,
});

function reportOf(cells: CellResult[]): Report {
  const failed = cells.filter((c) => !c.ok).length;
  const variant: VariantResult = {
    kubeProxy: { version: "v1.28.15", mode: "iptables" },
    returnPath: "liberal",
    tcpBeLiberal: 1,
    invalidDropRule: true,
    cells,
    table: summarize(cells),
    seconds: 3,
  };
  return {
    schema: RESULTS_SCHEMA,
    id: "test",
    started: "2026-01-01T00:00:00.000Z",
    finished: "2026-01-01T00:01:00.000Z",
    provider: "kind",
    versions: { kubernetes: "v1.29.15" },
    variants: [variant],
    checks: [{ name: "routes", status: "failed", seconds: 1, error: "no <route> & \u0007bell" }],
    summary: { passed: cells.length - failed, failed: failed + 1, skipped: 0 },
  };
}

describe("the table", () => {
  const entry = (...cells: CellResult[]) => summarize(cells)[1]?.[0];

  it("passes when every cell did what was expected", () => {
    assert.equal(entry(cell(), cell({ protocol: "udp" })), "pass");
  });
  it("says blocked when the gate says so and it is so", () => {
    assert.equal(entry(cell(), cell({ expected: "blocked", actual: "fail" })), "blocked");
  });
  it("fails by one cell, and by a blocked cell that passes", () => {
    assert.equal(entry(cell(), cell({ actual: "fail", ok: false })), "fail");
    assert.equal(entry(cell({ expected: "blocked", actual: "pass", ok: false })), "fail");
  });
  it("does not take what was not run, or another group, for a pass", () => {
    assert.equal(entry(), "not-run");
    assert.equal(entry(cell({ group: "node-port" })), "not-run");
  });
});

describe("a report", () => {
  let directory = "";
  before(async () => (directory = await mkdtemp(join(tmpdir(), "interlay-results-"))));
  after(() => rm(directory, { recursive: true }));

  it("is written in all formats, with text from outside as text", async () => {
    const wrong = cell({ ok: false, actual: "fail", reason: 'answered by <script>alert("x")</script>' });
    const path = await writeReport(reportOf([cell(), wrong]), directory);
    assert.equal(await readlink(join(directory, "latest")), join("runs", "test"));
    const [html, junit, markdown] = await Promise.all(
      ["report.html", "junit.xml", "report.md"].map((f) => readFile(join(path, f), "utf8")),
    );
    assert.ok(!html?.includes("<script>"), "report.html has markup that came from a cell's reason");
    assert.match(junit ?? "", /<failure message="expected pass, was fail: answered by &lt;script&gt;/);
    assert.ok(!junit?.includes("\u0007"), "junit.xml has a character that XML 1.0 forbids");
    assert.match(markdown ?? "", /\| \*\*Macvlan\*\* \| ❌ fail \|/);
  });

  it("is not written when it does not fit the schema", async () => {
    const bad = { ...reportOf([cell()]), provider: "cloud" } as unknown as Report;
    await assert.rejects(writeReport(bad, directory), /provider/);
  });
});
