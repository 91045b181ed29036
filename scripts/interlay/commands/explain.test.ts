import assert from "node:assert/strict";
import { parsePodName } from "./explain.ts";

describe("parsePodName", () => {
  it("takes the namespace from the name, else from the option, else default", () => {
    assert.deepEqual(parsePodName("web"), { namespace: "default", name: "web" });
    assert.deepEqual(parsePodName("web", "shop"), { namespace: "shop", name: "web" });
    assert.deepEqual(parsePodName("a/web", "shop"), { namespace: "a", name: "web" });
  });

  for (const text of ["", "/web", "a/", "a/b/c"])
    it(`refuses "${text}"`, () => {
      assert.throws(() => parsePodName(text), /invalid pod/);
    });
});
