import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { findCommands, PAGES, readScripts, ROOT } from "./doc-commands.ts";
import { NOT_RUN, DOCUMENTED_RUNS } from "./newcomer/documented-runs.ts";

const scripts = readScripts();

describe("the pages", () => {
  const commands = PAGES.flatMap(findCommands);

  it("name commands that there are", () => {
    const unknown = commands.filter(({ script }) => scripts[script] === undefined);
    assert.deepEqual(
      unknown.map(({ page, script }) => `${page}: npm run ${script}`),
      [],
    );
    assert.ok(commands.length > 30, `only ${commands.length} commands were found`);
  });

  it("name commands that `npm run newcomer -- --documented` runs, or that are left out with a reason", () => {
    const told = [...DOCUMENTED_RUNS.map(({ shows }) => shows), ...NOT_RUN.map(([shows]) => shows)];
    const missing = commands.filter(({ line }) => !told.flat().includes(line));
    assert.deepEqual([...new Set(missing.map(({ page, line }) => `${page}: ${line}`))], []);
    const lines = new Set(commands.map(({ line }) => line));
    assert.deepEqual(
      told.flat().filter((line) => !lines.has(line)),
      [],
      "no page has these any more",
    );
  });

  it("link to files that there are", () => {
    const broken = PAGES.flatMap((page) =>
      [...readFileSync(join(ROOT, page), "utf8").matchAll(/\]\((?!https?:)([^)#]+)/g)]
        .map(([, target = ""]) => join(dirname(page), target))
        .filter((target) => !existsSync(join(ROOT, target)))
        .map((target) => `${page}: ${target}`),
    );
    assert.deepEqual(broken, []);
  });
});
