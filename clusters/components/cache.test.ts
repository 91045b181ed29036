import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { getCacheRoot, KIT_CACHE } from "./cache.ts";

describe("the cache directory", () => {
  let project: string;
  beforeEach(async () => {
    project = await mkdtemp(join(tmpdir(), "interlay-cache-"));
  });
  afterEach(() => rm(project, { recursive: true }));

  it("is that of INTERLAY_CACHE, the kit, or the user, in this order", async () => {
    assert.equal(getCacheRoot({ XDG_CACHE_HOME: "/x" }, project), "/x/interlay");
    await mkdir(join(project, KIT_CACHE));
    assert.equal(getCacheRoot({ XDG_CACHE_HOME: "/x" }, project), join(project, KIT_CACHE));
    assert.equal(getCacheRoot({ INTERLAY_CACHE: "/y" }, project), "/y");
  });
});
