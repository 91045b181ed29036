import assert from "node:assert/strict";
import { $ } from "zx";
import { findCommands, PAGES, readScripts, ROOT } from "./commands.ts";

describe("commands in the documentation", () => {
  it("have only options that their --help lists", function () {
    this.timeout(600_000);
    const scripts = readScripts();
    const wanted = new Map<string, Set<string>>();
    for (const { script, options } of PAGES.flatMap(findCommands))
      for (const option of options) wanted.set(script, (wanted.get(script) ?? new Set()).add(option));
    assert.ok(wanted.size > 5, `only ${wanted.size} commands with options were found`);
    const missing = [...wanted].flatMap(([script, options]) => {
      const file = /^tsx (\S+\.ts)/.exec(scripts[script] ?? "")?.[1];
      if (file === undefined) return [`npm run ${script} takes no options`];
      const help = $.sync({ cwd: ROOT, preferLocal: true })`tsx ${file} --help`.stdout;
      return [...options].filter((option) => !help.includes(option)).map((option) => `npm run ${script} -- ${option}`);
    });
    assert.deepEqual(missing, []);
  });
});
