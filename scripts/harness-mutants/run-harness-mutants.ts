import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Command } from "commander";
import { $ } from "zx";
import "../../clusters/shell.ts";
import mutants from "./mutants.json" with { type: "json" };

/** `npm run mutants:harness`: changes e2e/harness.ts in one place at a time; its tests must fail for each change. */
const { args } = new Command("mutants:harness")
  .description(
    "mutation testing of e2e/harness.ts: its tests must fail for each mutant in harness-mutants/mutants.json",
  )
  .argument("[regexp]", "only mutants whose title matches")
  .parse();
const selected = new RegExp(args[0] ?? "");

const ROOT = join(import.meta.dirname, "..", "..");
const DIRECTORY = join(ROOT, "node_modules", ".cache", "interlay-harness");
const TESTS = join(ROOT, "e2e", "harness.test.ts");

const source = await readFile(join(ROOT, "e2e", "harness.ts"), "utf8");
await mkdir(DIRECTORY, { recursive: true });
const problems: string[] = [];
let killed = 0;
// A test that fails without a mutant would kill every mutant.
const unchanged = join(DIRECTORY, "harness-unchanged.ts");
await writeFile(unchanged, source);
if (!(await runTests(unchanged))) problems.push("e2e/harness.test.ts fails without a mutant: make it pass first");
for (const [index, { title, original, replacement }] of problems.length === 0 ? mutants.entries() : []) {
  if (!selected.test(title)) continue;
  const count = source.split(original).length - 1;
  if (count !== 1) {
    problems.push(`${title}: e2e/harness.ts contains the original text ${count} times, want 1`);
    continue;
  }
  const file = join(DIRECTORY, `harness-${index}.ts`);
  await writeFile(
    file,
    source.replace(original, () => replacement),
  );
  const isKilled = !(await runTests(file));
  if (isKilled) killed++;
  else problems.push(`${title}: no test fails`);
  process.stdout.write(`${isKilled ? "killed  " : "SURVIVED"}  ${title}\n`);
}
await rm(DIRECTORY, { recursive: true });
for (const problem of problems) process.stdout.write(`✗ ${problem}\n`);
process.stdout.write(`${killed} passed, ${problems.length} failed\n`);
process.exitCode = problems.length === 0 && killed > 0 ? 0 : 1;

/** Runs the tests of the harness with a mutated file. @returns whether they pass */
async function runTests(file: string): Promise<boolean> {
  const options = { cwd: ROOT, nothrow: true, preferLocal: true, timeout: "90s" } as const;
  const env = { ...process.env, INTERLAY_HARNESS: file };
  const { exitCode } = await $({
    ...options,
    env,
  })`mocha --no-config --node-option import=tsx --bail --exit --timeout 5000 ${TESTS}`;
  return exitCode === 0;
}
