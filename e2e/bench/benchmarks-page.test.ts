import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import packageJson from "../../package.json" with { type: "json" };
import { PAGE_FILE, renderBenchmarksPage, readAllMeasurements } from "./benchmarks-page.ts";
import { LAB_PARTS, readVersions } from "./measurement/versions.ts";

describe("results/BENCHMARKS.md", () => {
  it("equals the page rendered from results/data/benchmarks/*.json", async () => {
    assert.equal(
      await readFile(PAGE_FILE, "utf8"),
      renderBenchmarksPage(await readAllMeasurements()),
      "run npm run bench -- page",
    );
  });
  it("names the versions of all parts", async () => {
    const {
      interlay,
      commit,
      "kube-proxy": kubeProxy,
    } = await readVersions({
      components: LAB_PARTS,
      kubeProxies: ["v1.28.15", "v1.29.15"],
    });
    assert.equal(interlay, packageJson.version);
    assert.match(commit ?? "", /^([0-9a-f]{12}(, with changes)?|none: .*)$/);
    assert.equal(kubeProxy, "v1.28.15, v1.29.15");
  });
  it("marks measurements over their limit", () => {
    const page = renderBenchmarksPage([
      {
        schema: "interlay.benchmark/v1",
        name: "made-up",
        taken: "2026-11-24T00:00:00.000Z",
        machine: { processors: 2, memoryGiB: 8, kernel: "6.1" },
        versions: { interlay: "0.1.0", commit: "0123456789ab", node: "v22.0.0" },
        figures: [
          { name: "slow", value: 12, unit: "ms", limit: 10, basis: "a|b", ok: false },
          { name: "fast", value: 1, unit: "x", basis: "b", ok: true },
        ],
      },
    ]);
    assert.match(page, /- versions: commit 0123456789ab, interlay 0\.1\.0, node v22\.0\.0\n/);
    assert.match(page, /2 measurements, 1 over their limit: made-up: slow\./);
    assert.match(page, /\| slow \| 12 ms \| 10 ms \| \*\*exceeded\*\* \| a\\\|b \|/);
    assert.match(page, /\| fast \| 1 x \| - \| {2}\| b \|/);
  });
});
