import assert from "node:assert/strict";
import { type Image, computeImageId } from "./archive.ts";
import { listUnusedStores } from "./prune.ts";
import { findMissingImages } from "./store.ts";

const image = (reference: string, entrypoint = reference): Image => ({
  reference,
  layers: [],
  config: { Entrypoint: [entrypoint] },
});

describe("image store", () => {
  const there = { "a:1": computeImageId(image("a:1")), "b:1": computeImageId(image("b:1")) };

  it("serves a cluster that wants no more than it has", () => {
    assert.deepEqual(findMissingImages(there, [image("a:1")]), []);
  });

  it("says what else is wanted", () => {
    assert.deepEqual(
      findMissingImages(there, [image("a:1"), image("c:1")])?.map(({ reference }) => reference),
      ["c:1"],
    );
  });

  it("does not serve where a name stands for another content", () => {
    assert.equal(findMissingImages(there, [image("a:1", "other")]), undefined);
  });

  it("may go if no container mounts it, the longest unused last in the list", () => {
    const stores = [
      { path: "/old", lastUsed: 1 },
      { path: "/mounted", lastUsed: 2 },
      { path: "/new", lastUsed: 3 },
    ];
    assert.deepEqual(listUnusedStores(stores, new Set(["/mounted", "/elsewhere"])), ["/new", "/old"]);
  });
});
