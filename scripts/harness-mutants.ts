import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { $ } from "zx";
import "../clusters/shell.ts";

/** `npm run mutants:harness`: breaks the harness in one place at a time; its tests have to fail for each. */
const ROOT = join(import.meta.dirname, "..");
const DIRECTORY = join(ROOT, "node_modules", ".cache", "interlay-harness");
/** What is wrong, with the text to replace and its replacement. */
const MUTANTS: readonly (readonly [string, string, string])[] = [
  [
    "cleanups run first in, first out",
    "cleanups.pop(); cleanup !== undefined; cleanup = cleanups.pop()",
    "cleanups.shift(); cleanup !== undefined; cleanup = cleanups.shift()",
  ],
  [
    "a failed cleanup is not an error",
    "if (error !== undefined && !(error instanceof SkipError)) errors.push(error);",
    "",
  ],
  ["a cleanup's error hides the first one", '.join("\\nthen: ")', '.at(-1) ?? ""'],
  ["a timeout does not abort", "node.controller.abort(new Error(`timed out", "void (new Error(`timed out"],
  ["a late cleanup never runs", "  if (node.ended)\n", "  if (!node.ended)\n"],
  ["a hung body has no grace limit", "sleep(graceMs, true", "sleep(100_000, true"],
  [
    "BeforeAll's failure does not skip its specs",
    "        break;\n      }\n    let failedBefore",
    "        reason = undefined;\n        break;\n      }\n    let failedBefore",
  ],
  [
    "AfterAll runs before the specs' failure is known, that is never",
    'hooksOf(group, "AfterAll", "AfterSuite")',
    'hooksOf(group, "AfterSuite")',
  ],
  ["AfterEach runs outer groups first", "groups.toReversed()", "groups"],
  ["a failed hook is no check", "if (failed) this.#record(", "if (false) this.#record("],
  ["nothing selected is a pass", "![...this.#leftOut.values()].includes(undefined)", "this.#leftOut.size < 0"],
  [
    "a left-out spec has no result",
    "this.#record(result, this.#checks, error, spec.title);",
    "if (reason === undefined) this.#record(result, this.#checks, error, spec.title);",
  ],
  ["the filter takes what does not fit", "filter?.test(spec.name) === false", "filter?.test(spec.name) === true"],
  ["or binds stronger than and", "value = parseAnd() || value;", "value = parseAnd() && value;"],
  ["a shard is one off", "% count === index - 1", "% count === index % count"],
  ["ordered groups are split", "options.ordered === true) ?? spec", "options.ordered === false) ?? spec"],
  ["ordered groups go on after a failure", "(group.options.ordered === true ? failedBefore : undefined)", "undefined"],
  ["ordered groups are shuffled", "group.options.ordered !== true)", 'group.title !== "" || true)'],
  ["fail-fast goes on", "this.#settings.failFast === true ?", "this.#settings.failFast === undefined ?"],
  ["a flake is a pass at the first attempt", "...(attempts > 1 ? { attempts } : {}),", ""],
  ["repeat stops after a pass", "round < (this.#settings.repeat ?? 1)", "round < 1"],
  [
    "Eventually swallows Skip",
    "      if (error instanceof SkipError) throw error;\n      if (signal.aborted)",
    "      if (signal.aborted)",
  ],
  ["an interrupt aborts cleanups", "this.#current?.isCleanup === false", "this.#current !== undefined"],
  ["an interrupt runs the next specs", "if (interrupted !== undefined) return `interrupted: ${interrupted}`;", ""],
  ["Sanitize accepts a leak", "!earlier.has(one))", "earlier.has(one) && false)"],
  ["the process sanitizer sees nothing", "kinds.has(kind)", 'kinds.size < 0 && kind !== ""'],
  ["a focus does not focus", "focus && !isFocused(spec)", 'focus && spec.name === ""'],
  ["CI accepts a focus", 'if (process.env["CI"]) throw', 'if (process.env["NEVER"]) throw'],
  [
    "specs may be registered during the run",
    'if (this.#started) throw new Error("a spec',
    'if (this.#root === undefined) throw new Error("a spec',
  ],
  [
    "steps are not reported",
    "...(steps.length === 0 ? {} : { steps: steps.map(finishStep) }),\n    };\n    this.#record(result",
    "};\n    this.#record(result",
  ],
];

const source = await readFile(join(ROOT, "e2e", "harness.ts"), "utf8");
await mkdir(DIRECTORY, { recursive: true });
const selected = new RegExp(process.argv[2] ?? "");
const survivors: string[] = [];
let killed = 0;
for (const [index, [what, from, to]] of MUTANTS.entries()) {
  if (!selected.test(what)) continue;
  if (source.split(from).length !== 2) {
    survivors.push(`${what}: the text to change is there ${source.split(from).length - 1} times`);
    continue;
  }
  const file = join(DIRECTORY, `harness-${index}.ts`);
  await writeFile(
    file,
    source.replace(from, () => to),
  );
  const tests = join(ROOT, "e2e", "harness.test.ts");
  const { exitCode } = await $({
    ...{ cwd: ROOT, nothrow: true, preferLocal: true, timeout: "90s" },
    env: { ...process.env, INTERLAY_HARNESS: file },
  })`mocha --no-config --node-option import=tsx --bail --exit --timeout 5000 ${tests}`;
  if (exitCode === 0) survivors.push(what);
  else killed++;
  process.stdout.write(`${exitCode === 0 ? "SURVIVED" : "killed"}  ${what}\n`);
}
await rm(DIRECTORY, { recursive: true });
for (const one of survivors) process.stdout.write(`✗ ${one}\n`);
process.stdout.write(`${killed} passed, ${survivors.length} failed\n`);
process.exitCode = survivors.length === 0 && killed > 0 ? 0 : 1;
