import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { z } from "zod";

const ROOT = join(import.meta.dirname, "..");
const PAGES = [
  "README.md",
  "clusters/lab/README.md",
  ...readdirSync(join(ROOT, "docs")).flatMap((name) => (name.endsWith(".md") ? [`docs/${name}`] : [])),
];
const scripts = z
  .object({ scripts: z.record(z.string(), z.string()) })
  .parse(JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"))).scripts;

interface Command {
  readonly page: string;
  readonly script: string;
  /** Its long options, as the page writes them. */
  readonly options: readonly string[];
}

/** `npm run NAME -- --option …` in a page, in a line of code or between backticks. */
function commandsOf(page: string): readonly Command[] {
  const text = readFileSync(join(ROOT, page), "utf8");
  return [...text.matchAll(/npm (?:run )?([a-z][\w:]*)((?: -- [^`#\n|]*)?)/g)].flatMap(([, script = "", rest = ""]) =>
    ["ci", "exec", "install"].includes(script) || (script !== "test" && !text.includes(`npm run ${script}`))
      ? []
      : [{ page, script, options: [...rest.matchAll(/--[a-z][\w-]*/g)].map(([option]) => option) }],
  );
}

describe("the pages", () => {
  const commands = PAGES.flatMap(commandsOf);

  it("name commands that there are", () => {
    const unknown = commands.filter(({ script }) => scripts[script] === undefined);
    assert.deepEqual(
      unknown.map(({ page, script }) => `${page}: npm run ${script}`),
      [],
    );
    assert.ok(commands.length > 30, `only ${commands.length} commands were found`);
  });

  it("name options that the commands have, by their own --help", function () {
    this.timeout(120_000);
    const wanted = new Map<string, Set<string>>();
    for (const { script, options } of commands)
      for (const option of options) wanted.set(script, (wanted.get(script) ?? new Set()).add(option));
    const missing = [...wanted].flatMap(([script, options]) => {
      const file = /^tsx (\S+\.ts)/.exec(scripts[script] ?? "")?.[1];
      if (file === undefined) return [`npm run ${script} takes no options`];
      const help = execFileSync("tsx", [file, "--help"], { cwd: ROOT, encoding: "utf8" });
      return [...options].filter((option) => !help.includes(option)).map((option) => `npm run ${script} -- ${option}`);
    });
    assert.deepEqual(missing, []);
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
