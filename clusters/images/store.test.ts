import assert from "node:assert/strict";
import { type Image, imageId } from "./archive.ts";
import { unusedStores } from "./prune.ts";
import { lacking } from "./store.ts";

const image = (reference: string, entrypoint = reference): Image => ({
  reference,
  layers: [],
  config: { Entrypoint: [entrypoint] },
});

describe("image store", () => {
  const there = { "a:1": imageId(image("a:1")), "b:1": imageId(image("b:1")) };

  it("serves a cluster that wants no more than it has", () => {
    assert.deepEqual(lacking(there, [image("a:1")]), []);
  });

  it("says what else is wanted", () => {
    assert.deepEqual(
      lacking(there, [image("a:1"), image("c:1")])?.map(({ reference }) => reference),
      ["c:1"],
    );
  });

  it("does not serve where a name stands for another content", () => {
    assert.equal(lacking(there, [image("a:1", "other")]), undefined);
  });

  it("may go if no container mounts it, the longest unused last in the list", () => {
    const stores = [
      { path: "/old", lastUsed: 1 },
      { path: "/mounted", lastUsed: 2 },
      { path: "/new", lastUsed: 3 },
    ];
    assert.deepEqual(unusedStores(stores, new Set(["/mounted", "/elsewhere"])), ["/new", "/old"]);
  });
});
