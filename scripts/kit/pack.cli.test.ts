import assert from "node:assert/strict";
import { mkdir, mkdtemp, readFile, readlink, rm, stat, symlink, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { KIT_CACHE } from "../../clusters/components/cache.ts";
import { runCommand, runOrThrow } from "../../clusters/components/run-command.ts";
import { findComponentDirectory } from "./contents.ts";
import { KIT_DIRECTORY, packKit, CHECKSUMS_FILE } from "./pack.ts";

describe("a kit", () => {
  let root: string;
  const getPath = (...path: readonly string[]) => join(root, ...path);

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), "interlay-kit-test-"));
    for (const directory of [
      "project/node_modules/.bin",
      "cache/components/etcd-1",
      "cache/components/old",
      "unpacked",
    ])
      await mkdir(getPath(directory), { recursive: true });
    await writeFile(getPath("project/package.json"), "{}\n");
    await writeFile(getPath("project/secret"), "not tracked\n");
    await writeFile(getPath("project/node_modules/tool.js"), "1\n", { mode: 0o755 });
    await symlink("../tool.js", getPath("project/node_modules/.bin/tool"));
    await writeFile(getPath("cache/components/etcd-1/etcd"), "etcd\n", { mode: 0o755 });
    await writeFile(getPath("cache/components/old/etcd"), "old\n");
  });
  afterEach(() => rm(root, { recursive: true }));

  const packed = async () => {
    const contents = { project: ["package.json", "node_modules"], cache: ["components/etcd-1"] };
    const files = await packKit({ project: getPath("project"), cache: getPath("cache") }, contents, getPath("kit.tar"));
    await runOrThrow(["tar", "--extract", "--file", getPath("kit.tar"), "--directory", getPath("unpacked")]);
    return files;
  };
  const check = () =>
    runCommand(["sha256sum", "--check", "--quiet", CHECKSUMS_FILE], { cwd: getPath("unpacked", KIT_DIRECTORY) });

  it("contains only the named files, with their links and modes", async () => {
    assert.equal(await packed(), 3);
    const kit = (...path: readonly string[]) => getPath("unpacked", KIT_DIRECTORY, ...path);
    assert.equal(await readFile(kit(KIT_CACHE, "components/etcd-1/etcd"), "utf8"), "etcd\n");
    assert.equal(await readlink(kit("node_modules/.bin/tool")), "../tool.js");
    assert.equal((await stat(kit("node_modules/tool.js"))).mode & 0o777, 0o755);
    const listed = await runOrThrow(["find", kit(), "-type", "f"]);
    assert.equal(listed.trim().split("\n").length, 4, listed);
  });

  it("keeps modification times to the millisecond, which identify the programs of an image", async () => {
    await utimes(getPath("cache/components/etcd-1/etcd"), 1_700_000_000.123, 1_700_000_000.123);
    await packed();
    const { mtimeMs } = await stat(getPath("unpacked", KIT_DIRECTORY, KIT_CACHE, "components/etcd-1/etcd"));
    assert.equal(Math.trunc(mtimeMs), Math.trunc((await stat(getPath("cache/components/etcd-1/etcd"))).mtimeMs));
  });

  it("has checksums that detect a changed file", async () => {
    await packed();
    assert.equal((await check()).exitCode, 0);
    await writeFile(getPath("unpacked", KIT_DIRECTORY, KIT_CACHE, "components/etcd-1/etcd"), "other\n");
    const { exitCode, stdout } = await check();
    assert.equal(exitCode, 1);
    assert.match(stdout, /components\/etcd-1\/etcd: FAILED/);
  });

  it("rejects a program outside of the cache", () => {
    assert.throws(
      () => findComponentDirectory("/usr/bin/kubectl", { name: "kubectl", version: "v1.29.15" }),
      /remove it from PATH/,
    );
  });
});
