import assert from "node:assert/strict";
import { chmod, mkdir, mkdtemp, readdir, rm, truncate, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { LayerCache, packLayer, identifyTree } from "./layer.ts";

async function inDirectory(work: (directory: string) => Promise<void>): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), "interlay-test-"));
  try {
    await work(directory);
  } finally {
    await rm(directory, { recursive: true });
  }
}

describe("a layer", () => {
  it("has the same bytes for the same files with other dates", () =>
    inDirectory(async (directory) => {
      const layers = [];
      for (const [name, seconds] of [
        ["a", 1],
        ["b", 1_000_000],
      ] as const) {
        const tree = join(directory, name);
        await mkdir(join(tree, "bin"), { recursive: true });
        await writeFile(join(tree, "bin", "program"), "same", { mode: 0o755 });
        await utimes(join(tree, "bin", "program"), seconds, seconds);
        layers.push(await packLayer(tree, join(directory, `${name}.tar`), "root"));
      }
      assert.equal(layers[0]?.diffId, layers[1]?.diffId);
      assert.match(layers[0]?.diffId ?? "", /^sha256:[0-9a-f]{64}$/);
    }));

  it("is created once, and again if it is incomplete", () =>
    inDirectory(async (directory) => {
      const cache = new LayerCache(directory);
      let filled = 0;
      const ensure = () =>
        cache.ensure("key", "root", async (tree) => {
          filled++;
          await writeFile(join(tree, "file"), "content");
        });
      const [one, two] = await Promise.all([ensure(), ensure()]);
      assert.deepEqual([filled, one], [1, two]);
      await truncate(one.tar, 10);
      assert.deepEqual([await ensure(), filled], [one, 2]);
    }));

  it("leaves no files after a failed or killed creation", () =>
    inDirectory(async (directory) => {
      const cache = new LayerCache(directory);
      const failed = cache.ensure("key", "root", () => Promise.reject(new Error("no mirror")));
      await assert.rejects(failed, /no mirror/);
      await mkdir(join(directory, "key.tar.making", "tree", "half"), { recursive: true });
      await cache.ensure("key", "root", async (tree) => {
        assert.deepEqual(await readdir(tree), []);
      });
      assert.deepEqual((await readdir(directory)).sort(), ["key.tar", "key.tar.json", "key.tar.lock"]);
    }));
});

describe("identifyTree", () => {
  it("depends on a file's content, name and mode, not on its date", () =>
    inDirectory(async (directory) => {
      const file = join(directory, "script");
      await writeFile(file, "#!/bin/sh\n", { mode: 0o644 });
      const first = await identifyTree(directory);
      await utimes(file, 1, 1);
      assert.equal(await identifyTree(directory), first);
      await chmod(file, 0o755);
      const second = await identifyTree(directory);
      assert.notEqual(second, first);
      await writeFile(file, "#!/bin/ah\n");
      assert.notEqual(await identifyTree(directory), second);
    }));
});
