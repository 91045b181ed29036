import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { spawn } from "node:child_process";
import { planArchive, createContentTag, type Image, computeImageId, streamArchive } from "./archive.ts";

const layer = (digit: string) => ({ tar: `/nowhere/${digit}.tar`, diffId: `sha256:${digit.repeat(64)}`, size: 1 });
const image = (reference: string, ...digits: string[]): Image => ({ reference, layers: digits.map(layer), config: {} });

describe("an archive of images", () => {
  it("identifies an image by its content, not by its name", () => {
    assert.equal(computeImageId(image("a:1", "1")), computeImageId(image("b:2", "1")));
    assert.notEqual(createContentTag(image("", "1")), createContentTag(image("", "2")));
    assert.match(createContentTag(image("", "1")), /^[0-9a-f]{16}$/);
  });

  it("contains a layer of two images once", () => {
    const { files, layers } = planArchive([image("a:1", "1", "2"), image("b:1", "1", "3")]);
    assert.deepEqual([...layers.keys()].map((name) => name[0]).sort(), ["1", "2", "3"]);
    const manifest = JSON.parse(files.get("manifest.json") ?? "") as { RepoTags: string[]; Layers: string[] }[];
    assert.deepEqual(
      manifest.map(({ RepoTags, Layers }) => [RepoTags, Layers.map((name) => name[0])]),
      [
        [["a:1"], ["1", "2"]],
        [["b:1"], ["1", "3"]],
      ],
    );
  });

  it("streams a tar archive with the layers from their files", async () => {
    const directory = await mkdtemp(join(tmpdir(), "interlay-test-"));
    try {
      const tar = join(directory, "layer.tar");
      await writeFile(tar, "content");
      const one: Image = { ...image("a:1"), layers: [{ ...layer("1"), tar }] };
      const archive = await streamArchive([one]);
      const list = spawn("tar", ["--list"], { stdio: ["pipe", "pipe", "inherit"] });
      let names = "";
      list.stdout.setEncoding("utf8").on("data", (chunk: string) => (names += chunk));
      archive.stream.pipe(list.stdin);
      await Promise.all([once(list, "close"), archive.ended]);
      assert.deepEqual(
        names.trim().split("\n").sort(),
        [`${computeImageId(one)}.json`, `${"1".repeat(64)}.tar`, "manifest.json"].sort(),
      );
    } finally {
      await rm(directory, { recursive: true });
    }
  });
});
