import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseAllDocuments } from "yaml";
import { CODE } from "./error.ts";
import { listOptionNames } from "./network-options.ts";

const root = join(import.meta.dirname, "..", "..");
const page = readFileSync(join(root, "docs", "plugin.md"), "utf8");

describe("docs/plugin.md", () => {
  const first = (pattern: RegExp) => [...page.matchAll(pattern)].map(([, cell]) => cell ?? "");

  it("docs/plugin.md lists all options and no others", () => {
    const section = /## Options\n([\s\S]*?)\n## /.exec(page)?.[1] ?? "";
    const documented = [...section.matchAll(/^\| `(\w+)`/gm)].map(([, name]) => name);
    assert.deepEqual(documented.sort(), [...listOptionNames()].sort());
  });

  it("docs/plugin.md lists all error codes", () => {
    assert.deepEqual(first(/^\| (\d+) +\|/gm).map(Number), Object.values(CODE));
  });

  it("UnderlayNetwork has the options of the plugin except dryRun", () => {
    const yaml = readFileSync(join(root, "plugin", "deploy", "manifests", "crds.yaml"), "utf8");
    const found = parseAllDocuments(yaml).flatMap((document) => {
      const options: unknown = document.getIn(
        [
          "spec",
          "versions",
          0,
          "schema",
          "openAPIV3Schema",
          "properties",
          "spec",
          "properties",
          "options",
          "properties",
        ],
        true,
      );
      const json: unknown = JSON.parse(JSON.stringify(options ?? null));
      return typeof json === "object" && json !== null ? [Object.keys(json)] : [];
    });
    const own = listOptionNames().filter((name) => name !== "dryRun");
    assert.deepEqual(
      found.map((names) => names.sort()),
      [own.sort()],
    );
  });
});
