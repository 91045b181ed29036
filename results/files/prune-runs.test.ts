import assert from "node:assert/strict";
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createReport } from "../report-fixtures.ts";
import { createRunSummary } from "../run-summary.ts";
import { pruneRuns } from "./prune-runs.ts";

describe("pruneRuns", () => {
  let runs = "";
  beforeEach(async () => {
    runs = await mkdtemp(join(tmpdir(), "interlay-prune-"));
    for (const [id, started] of [
      ["old", "2026-01-01T00:00:00.000Z"],
      ["new", "2026-01-09T00:00:00.000Z"],
    ] as const) {
      await mkdir(join(runs, id));
      const summary = createRunSummary({ ...createReport([]), id, started });
      await writeFile(join(runs, id, "summary.json"), JSON.stringify(summary));
    }
    await mkdir(join(runs, "notes"));
    await writeFile(join(runs, "index.html"), "");
  });
  afterEach(() => rm(runs, { recursive: true }));

  it("deletes runs that are older, and nothing else", async () => {
    assert.deepEqual(await pruneRuns(runs, 7, Date.parse("2026-01-10T00:00:00Z")), ["old"]);
    assert.deepEqual((await readdir(runs)).sort(), ["index.html", "new", "notes"]);
  });

  it("keeps a run of exactly the last day", async () => {
    assert.deepEqual(await pruneRuns(runs, 9, Date.parse("2026-01-10T00:00:00Z")), []);
  });

  it("does nothing where no run has been written", async () => {
    assert.deepEqual(await pruneRuns(join(runs, "missing"), 7), []);
  });
});
