import assert from "node:assert/strict";
import { findEnvironment } from "../../clusters/environments/registry.ts";
import { createCell, createReport } from "../../results/report-fixtures.ts";
import { renderEnvironmentsPage } from "./environments-page.ts";

describe("the page of environments", () => {
  const report = createReport([createCell(), createCell({ expected: "blocked", actual: "fail", predicted: "pass" })]);
  const [variant] = report.variants;
  assert.ok(variant);
  const page = renderEnvironmentsPage(
    ["no-kube-proxy", "wireguard", "nftables", "cluster-cidr-covers-underlay"].map(findEnvironment),
    {
      ...report,
      variants: [{ ...variant, environment: "no-kube-proxy" }],
      checks: [{ name: "environment wireguard", status: "skipped", seconds: 0, error: "no such links" }],
    },
  );
  const lineFor = (name: string) => page.split("\n").find((line) => line.startsWith(`| **${name}**`)) ?? "";

  it("counts an environment's cells and their predictions", () => {
    assert.match(lineFor("no-kube-proxy"), /\| 1 \| 1 \| 0 \| 1 \| 1 \| 0 \| 0 \|$/);
  });

  it("says how many predictions were wrong", () => {
    assert.match(page, /Of 1 cells that a trace predicted, 1 were predicted wrongly\./);
  });

  it("lists environments that were not run with the reason", () => {
    assert.match(lineFor("wireguard"), /\| not run \|/);
    assert.match(page, /^- wireguard: no such links$/m);
    assert.match(page, /^- nftables, cluster-cidr-covers-underlay: not selected$/m);
  });

  it("describes what an environment changes", () => {
    assert.match(page, /^- \*\*no-kube-proxy\*\*: .+\. Found in .+\.$/m);
  });

  it("lists what cannot work with its condition", () => {
    assert.match(page, /^- \*\*no-kube-proxy\*\*, ServicesReady \(NoServiceRules\): no kube-proxy runs, .*\.$/m);
  });

  it("lists what is not tested with its reason", () => {
    assert.match(
      page,
      /## What is not tested[^]*\n- \*\*cluster-cidr-covers-underlay\*\*: kube-proxy takes .* at random/,
    );
  });
});
