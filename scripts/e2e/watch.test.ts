import assert from "node:assert/strict";
import { isSource } from "./watch.ts";

describe("files that --watch observes", () => {
  for (const [path, isWatched] of Object.entries({
    "datapath/underlay.ts": true,
    "manifests/calico.yaml": true,
    "datapath/underlay.test.ts": false,
    "dist/interlay.json": false,
    "runs/2026/report.json": false,
    "data/benchmarks/cni.json": false,
    "report.schema.json": false,
    "notes.md": false,
  }))
    it(`${path}: ${isWatched ? "starts a run" : "is ignored"}`, () => {
      assert.equal(isSource(path), isWatched);
    });
});
