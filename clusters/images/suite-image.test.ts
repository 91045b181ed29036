import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { isSuiteSource, listModules } from "./suite-image.ts";

describe("the suite's image", () => {
  it("contains the packages of a production installation, without compilers and types", () => {
    const lock = JSON.stringify({
      packages: {
        "": {},
        "node_modules/zod": {},
        "node_modules/a/node_modules/zod": {},
        "node_modules/eslint": { dev: true },
        "node_modules/both": { devOptional: true },
        "node_modules/node": {},
        "node_modules/bun": {},
        "node_modules/@oven/bun-linux-x64": { optional: true },
        "node_modules/@types/node": {},
      },
    });
    assert.deepEqual(listModules(lock), ["node_modules/zod", "node_modules/a/node_modules/zod"]);
  });

  it("contains what the suite imports, by the project's own package-lock.json", () => {
    const modules = listModules(readFileSync(join(import.meta.dirname, "../../package-lock.json"), "utf8"));
    for (const name of ["tsx", "mocha", "zx", "commander", "@kubernetes/client-node", "esbuild", "zod"])
      assert.ok(modules.includes(`node_modules/${name}`), name);
    assert.ok(!modules.includes("node_modules/eslint"));
  });

  it("contains sources, but neither tests nor results nor executables", () => {
    assert.ok(isSuiteSource("e2e/specs/matrix.e2e.ts"));
    assert.ok(isSuiteSource("plugin/deploy/manifests/interlay.yaml"));
    for (const path of ["e2e/harness.test.ts", "plugin/dist/interlay", "results/runs/a/report.json", "results/latest"])
      assert.ok(!isSuiteSource(path), path);
  });
});
