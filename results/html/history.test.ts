import assert from "node:assert/strict";
import { createCell, createReport } from "../report-fixtures.ts";
import { createRunSummary } from "../run-summary.ts";
import { toHistory } from "./history.ts";

const run = (id: string, started: string, ok: boolean, provider: "kind" | "lab" = "lab") =>
  createRunSummary({ ...createReport([createCell({ ok, actual: ok ? "pass" : "fail" })]), id, started, provider });

describe("the history of runs", () => {
  const page = toHistory([
    run("one", "2026-01-01T01:00:00.000Z", true),
    run("two", "2026-01-02T01:00:00.000Z", true),
    run("three", "2026-01-02T02:00:00.000Z", false),
    run("kind <1>", "2026-01-02T03:00:00.000Z", true, "kind"),
  ]);

  it("contains a row for each cluster and variant, and a column for each day, newest first", () => {
    const rows = page.split("<tr>").slice(2);
    assert.deepEqual(
      rows.map((row) => /<th scope="row">([^<:]+)/.exec(row)?.[1]),
      ["kind v1.29.15 ipv4", "lab v1.29.15 ipv4"],
    );
    assert.ok(page.indexOf("2026-01-02") < page.indexOf("2026-01-01"));
  });

  it("shows the last run of a day, and links to it", () => {
    const lab = page.split("<tr>").at(-1) ?? "";
    assert.match(lab, /href="three\/report.html"[^>]*>✗ 1 of 1<.*href="one\/report.html">✓ 1</);
    assert.doesNotMatch(lab, /two/);
  });

  it("escapes text and marks days without a run", () => {
    assert.match(page, /href="kind%20%3C1%3E\/report.html"/);
    assert.match(page.split("<tr>").at(-2) ?? "", /<td>–<\/td>/);
  });
});
