import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readPodOptions, writePodOptions } from "./pod-options.ts";
import { RENAMED_DIRECTORIES, renameStateDirectories } from "./rename-directories.ts";
import { useDirectory } from "../testing/use-directory.ts";

describe("the state directory of an earlier version", () => {
  const [oldOptions = "", oldTeardowns = ""] = Object.keys(RENAMED_DIRECTORIES);
  const directory = useDirectory();

  it("should keep pod options and pending teardowns under the new directory names", () => {
    for (const [name, file, text] of [
      [oldOptions, "c1-eth0.json", '{"defaultRouteNic":"net1"}'],
      [oldTeardowns, "c2-eth0.json", "{}"],
    ] as const) {
      mkdirSync(join(directory, name));
      writeFileSync(join(directory, name, file), text);
    }
    renameStateDirectories(directory);
    assert.deepEqual(readdirSync(directory).sort(), ["pending-teardown", "pod-options"]);
    assert.equal(readPodOptions("c1", "eth0", directory).defaultRouteNic, "net1");
    assert.equal(readFileSync(join(directory, "pending-teardown", "c2-eth0.json"), "utf8"), "{}");
  });

  it("should not replace newer pod options", () => {
    writePodOptions("c1", "eth0", { defaultRouteNic: "eth0" }, directory);
    mkdirSync(join(directory, oldOptions));
    writeFileSync(join(directory, oldOptions, "c1-eth0.json"), '{"defaultRouteNic":"net1"}');
    renameStateDirectories(directory);
    assert.equal(readPodOptions("c1", "eth0", directory).defaultRouteNic, "eth0");
    assert.ok(!existsSync(join(directory, oldOptions)));
  });

  it("should stay without new directories if it has no old ones", () => {
    renameStateDirectories(directory);
    assert.deepEqual(readdirSync(directory), []);
  });
});
