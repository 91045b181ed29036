import assert from "node:assert/strict";
import { type Image, computeImageId } from "./archive.ts";
import { listUnusedStores } from "./prune.ts";
import { findMissingImages } from "./store.ts";

const image = (reference: string, entrypoint = reference): Image => ({
  reference,
  layers: [],
  config: { Entrypoint: [entrypoint] },
});

describe("the image store", () => {
  const stored = { "a:1": computeImageId(image("a:1")), "b:1": computeImageId(image("b:1")) };

  it("has no missing image if it contains all", () => {
    assert.deepEqual(findMissingImages(stored, [image("a:1")]), []);
  });

  it("reports missing images", () => {
    assert.deepEqual(
      findMissingImages(stored, [image("a:1"), image("c:1")])?.map(({ reference }) => reference),
      ["c:1"],
    );
  });

  it("is not usable if an image of the same name has another content", () => {
    assert.equal(findMissingImages(stored, [image("a:1", "other")]), undefined);
  });

  it("is unused if no container mounts it; the list ends with the one that is unused for longest", () => {
    const stores = [
      { path: "/old", lastUsed: 1 },
      { path: "/mounted", lastUsed: 2 },
      { path: "/new", lastUsed: 3 },
    ];
    assert.deepEqual(listUnusedStores(stores, new Set(["/mounted", "/elsewhere"])), ["/new", "/old"]);
  });
});
