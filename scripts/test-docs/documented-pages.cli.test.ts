import assert from "node:assert/strict";
import { $ } from "zx";
import { ROOT } from "../lint/language.ts";
import { findCommands, PAGES, readScripts } from "./documented-pages.ts";

describe("commands in the documentation", () => {
  it("commands in the documentation have only options that their --help lists", function () {
    this.timeout(600_000);
    const scripts = readScripts();
    const documented = new Map<string, { script: string; subcommand: string; options: Set<string> }>();
    for (const { script, subcommand, options } of PAGES.flatMap(findCommands)) {
      const key = `${script} ${subcommand}`;
      const entry = documented.get(key) ?? { script, subcommand, options: new Set() };
      for (const option of options) entry.options.add(option);
      if (entry.options.size > 0) documented.set(key, entry);
    }
    assert.ok(documented.size > 5, `only ${documented.size} commands with options were found`);
    const missing = [...documented.values()].flatMap(({ script, subcommand, options }) => {
      const file = / (scripts\/\S+\.ts)\b/.exec(scripts[script] ?? "")?.[1];
      if (file === undefined) return [`npm run ${script} takes no options`];
      const argv = [file, ...(subcommand === "" ? [] : [subcommand]), "--help"];
      const help = $.sync({ cwd: ROOT, preferLocal: true })`tsx ${argv}`.stdout;
      return [...options].filter((option) => !help.includes(option)).map((option) => `npm run ${script} -- ${option}`);
    });
    assert.deepEqual(missing, []);
  });
});
