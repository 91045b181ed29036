import assert from "node:assert/strict";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { getCacheRoot, KIT_CACHE } from "./cache.ts";
import { useDirectory } from "../../plugin/testing/use-directory.ts";

describe("the cache directory", () => {
  const project = useDirectory();

  it("is that of INTERLAY_CACHE, the kit, or the user, in this order", async () => {
    assert.equal(getCacheRoot({ XDG_CACHE_HOME: "/x" }, project), "/x/interlay");
    await mkdir(join(project, KIT_CACHE));
    assert.equal(getCacheRoot({ XDG_CACHE_HOME: "/x" }, project), join(project, KIT_CACHE));
    assert.equal(getCacheRoot({ INTERLAY_CACHE: "/y" }, project), "/y");
  });
});
