import assert from "node:assert/strict";
import { mkdtemp, readFile, readlink, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createCell, createReport } from "../report-fixtures.ts";
import type { Report } from "../schema.ts";
import { writeReport } from "./write.ts";

describe("a report", () => {
  let directory = "";
  before(async () => (directory = await mkdtemp(join(tmpdir(), "interlay-results-"))));
  after(() => rm(directory, { recursive: true }));

  it("is written in all formats, with escaped text", async () => {
    const wrong = createCell({ ok: false, actual: "fail", reason: 'answered by <script>alert("x")</script>' });
    const path = await writeReport(createReport([createCell(), wrong]), directory);
    assert.equal(await readlink(join(directory, "latest")), join("runs", "test"));
    const [html, junit, markdown] = await Promise.all(
      ["report.html", "junit.xml", "report.md"].map((f) => readFile(join(path, f), "utf8")),
    );
    assert.ok(!html?.includes("<script>"), "report.html contains markup from a cell's reason");
    assert.match(
      junit ?? "",
      /<failure message="expected pass, was fail: answered by &lt;script&gt;.*rerun: npm run e2e -- --kubernetes v1.29.15 --kube-proxy v1.28.15/,
    );
    assert.ok(!junit?.includes("\u0007"), "junit.xml contains a character that XML 1.0 forbids");
    assert.match(markdown ?? "", /\| \*\*Macvlan\*\* \| ❌ fail \|/);
  });

  it("names the environment of each variant, and contains a table if there are several", async () => {
    const report = createReport([createCell()]);
    const variants = report.variants.flatMap((variant) => [variant, { ...variant, environment: "nftables" }]);
    const path = await writeReport({ ...report, variants }, directory);
    const [html, junit, markdown, summary] = await Promise.all(
      ["report.html", "junit.xml", "report.md", "summary.json"].map((f) => readFile(join(path, f), "utf8")),
    );
    for (const text of [html, junit, markdown, summary])
      assert.match(text ?? "", /environment nftables, kube-proxy v1\.28\.15/);
    assert.match(junit ?? "", /<property name="environment" value="nftables"\/>/);
    assert.match(markdown ?? "", /\| nftables \| 1 \| 0 \| 0 \| 0 \|/);
  });

  it("is not written if it is invalid", async () => {
    const bad = { ...createReport([createCell()]), provider: "cloud" } as unknown as Report;
    await assert.rejects(writeReport(bad, directory), /provider/);
  });
});
