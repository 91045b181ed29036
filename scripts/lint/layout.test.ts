import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { listFiles, ROOT } from "./language.ts";

/** Lines of a source file or specs, not of unit tests; harness.ts is one file so that it can be copied. */
const MAX_LINES = 260;
const isMeasured = (name: string): boolean => name !== "e2e/harness.ts";
/** Source files of a folder. */
const MAX_FILES = 22;
/** Names of files that are the same in each folder: its program, and the list of its environments. */
const SHARED_NAMES = ["main.ts", "index.ts"];
/** Folders with one file for each command or benchmark, which has its name. */
const COMMAND_FOLDERS = ["scripts", "scripts/interlay/commands", "plugin/cli", "e2e/bench"];
/** A name like `minorOf`: it does not say whether the function parses, finds or converts. */
const GETTER = /\b(?:function|const) ([a-z]+(?:Of|At))\b(?= *[(<]| = (?:async )?[(<])/g;

describe("the project's layout", () => {
  const sources = listFiles("*.ts").filter((name) => !name.endsWith(".test.ts"));
  const read = (name: string): string => readFileSync(join(ROOT, name), "utf8");

  it(`has source files of at most ${MAX_LINES} lines`, () => {
    assert.ok(sources.length > 500, "no source files were found");
    const lengths = sources.filter(isMeasured).map((name) => ({ name, lines: read(name).split("\n").length - 1 }));
    assert.deepEqual(
      lengths.filter(({ lines }) => lines > MAX_LINES),
      [],
    );
  });

  it(`has folders of at most ${MAX_FILES} source files`, () => {
    const counts = new Map<string, number>();
    for (const folder of sources.map((name) => dirname(name))) counts.set(folder, (counts.get(folder) ?? 0) + 1);
    assert.deepEqual(
      [...counts].filter(([, count]) => count > MAX_FILES),
      [],
    );
  });

  it("gives each source file and test a base name of its own", () => {
    const folders = new Map<string, string[]>();
    for (const name of listFiles("*.ts")) {
      if (SHARED_NAMES.includes(basename(name)) || COMMAND_FOLDERS.includes(dirname(name))) continue;
      folders.set(basename(name), [...(folders.get(basename(name)) ?? []), dirname(name)]);
    }
    assert.deepEqual(
      [...folders].filter(([, found]) => found.length > 1),
      [],
    );
  });

  it("names functions by verb and noun, not like minorOf, also those that no other file uses", () => {
    assert.equal("const minorOf = (version: string) => 1".match(GETTER)?.length, 1);
    assert.deepEqual(
      listFiles("*.ts")
        .filter((name) => name !== "scripts/lint/layout.test.ts")
        .flatMap((name) => [...read(name).matchAll(GETTER)].map(([, found]) => `${name}: ${found ?? ""}`)),
      [],
    );
  });
});
