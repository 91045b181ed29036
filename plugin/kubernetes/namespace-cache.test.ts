import assert from "node:assert/strict";
import { NamespaceCache } from "./namespace-cache.ts";

describe("NamespaceCache", () => {
  let reads: string[];
  const kube = {
    find: (_: unknown, name: string) => {
      reads.push(name);
      if (name === "denied") return Promise.reject(new Error("no answer"));
      return Promise.resolve(name === "shop" ? { metadata: { name, labels: { team: "a" } } } : undefined);
    },
  };
  beforeEach(() => {
    reads = [];
  });

  it("reads a namespace once within its age", async () => {
    const cache = new NamespaceCache(kube, 60_000);
    assert.equal(cache.getLast("shop"), undefined);
    for (let call = 0; call < 2; call++) assert.deepEqual((await cache.read("shop")).labels, { team: "a" });
    assert.deepEqual([reads, cache.getLast("shop")?.name], [["shop"], "shop"]);
  });
  it("reads it again when it is older", async () => {
    const cache = new NamespaceCache(kube, 0);
    await cache.read("shop");
    await cache.read("shop");
    assert.equal(reads.length, 2);
  });
  it("returns no labels of a namespace that does not exist", async () => {
    assert.deepEqual((await new NamespaceCache(kube, 0).read("none")).labels, {});
  });
  it("keeps nothing of a failed read", async () => {
    const cache = new NamespaceCache(kube, 60_000);
    await assert.rejects(cache.read("denied"), /no answer/);
    assert.equal(cache.getLast("denied"), undefined);
  });
});
