import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { ROOT } from "../lint/language.ts";
import { findCommands, PAGES, readScripts } from "./documented-pages.ts";
import { NOT_RUN, DOCUMENTED_RUNS } from "./documented-runs.ts";

const scripts = readScripts();

describe("the documentation", () => {
  const commands = PAGES.flatMap(findCommands);

  it("names commands that exist in package.json", () => {
    const unknown = commands.filter(({ script }) => scripts[script] === undefined);
    assert.deepEqual(
      unknown.map(({ page, script }) => `${page}: npm run ${script}`),
      [],
    );
    assert.ok(commands.length > 30, `only ${commands.length} commands were found`);
  });

  it("has only commands that test:docs runs or skips with a reason", () => {
    const known = [...DOCUMENTED_RUNS.map(({ shows }) => shows), ...NOT_RUN.map(([shows]) => shows)];
    const missing = commands.filter(({ line }) => !known.flat().includes(line));
    assert.deepEqual([...new Set(missing.map(({ page, line }) => `${page}: ${line}`))], []);
    const lines = new Set(commands.map(({ line }) => line));
    assert.deepEqual(
      known.flat().filter((line) => !lines.has(line)),
      [],
      "no page contains these lines any more",
    );
  });

  it("links to files that exist", () => {
    const broken = PAGES.flatMap((page) =>
      [...readFileSync(join(ROOT, page), "utf8").matchAll(/\]\((?!https?:)([^)#]+)/g)]
        .map(([, target = ""]) => join(dirname(page), target))
        .filter((target) => !existsSync(join(ROOT, target)))
        .map((target) => `${page}: ${target}`),
    );
    assert.deepEqual(broken, []);
  });
});
