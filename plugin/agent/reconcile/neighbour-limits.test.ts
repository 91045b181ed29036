import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { raiseNeighbourLimits, restoreNeighbourLimits } from "./neighbour-limits.ts";
import { useDirectory } from "../../testing/use-directory.ts";

describe("neighbour table limits", () => {
  const root = useDirectory("suite");
  const paths = { sysctls: join(root, "sys"), before: join(root, "before") };
  const file = (family: string, limit: string) => join(paths.sysctls, family, "neigh", "default", limit);
  const read = (family: string, limit: string) => Number(readFileSync(file(family, limit), "utf8"));
  beforeEach(() => {
    for (const family of ["ipv4", "ipv6"]) {
      mkdirSync(join(paths.sysctls, family, "neigh", "default"), { recursive: true });
      writeFileSync(file(family, "gc_thresh1"), "128\n");
      writeFileSync(file(family, "gc_thresh2"), "512\n");
      writeFileSync(file(family, "gc_thresh3"), "1024\n");
    }
    rmSync(paths.before, { recursive: true, force: true });
  });

  it("should be raised in both families and restored", () => {
    assert.equal(raiseNeighbourLimits(paths).length, 6);
    assert.deepEqual([read("ipv4", "gc_thresh3"), read("ipv6", "gc_thresh3")], [28_160, 28_160]);
    assert.deepEqual(raiseNeighbourLimits(paths), [], "the second time");
    assert.equal(restoreNeighbourLimits(paths).length, 6);
    assert.deepEqual([read("ipv4", "gc_thresh1"), read("ipv6", "gc_thresh3")], [128, 1024]);
    assert.ok(!existsSync(paths.before));
  });

  it("should not change limits that are high enough", () => {
    writeFileSync(file("ipv4", "gc_thresh3"), "65536\n");
    assert.equal(raiseNeighbourLimits(paths).length, 5);
    assert.equal(read("ipv4", "gc_thresh3"), 65_536);
    restoreNeighbourLimits(paths);
    assert.equal(read("ipv4", "gc_thresh3"), 65_536);
  });

  it("should not restore limits that were changed in the meantime", () => {
    raiseNeighbourLimits(paths);
    writeFileSync(file("ipv6", "gc_thresh3"), "40000\n");
    assert.equal(restoreNeighbourLimits(paths).length, 5);
    assert.equal(read("ipv6", "gc_thresh3"), 40_000);
  });

  it("should be skipped in a network namespace without them", () => {
    rmSync(paths.sysctls, { recursive: true });
    assert.deepEqual(raiseNeighbourLimits(paths), []);
    assert.deepEqual(restoreNeighbourLimits(paths), []);
  });
});
