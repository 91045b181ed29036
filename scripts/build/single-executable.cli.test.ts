import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { copyFile, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { VERSION } from "../../plugin/version/version.ts";
import { buildSingleExecutable } from "./single-executable.ts";

describe("interlay as one executable", () => {
  let directory: string;
  let executable: string;

  before(async function () {
    this.timeout(0); // the bundle takes seconds, and a minute on a busy machine
    directory = await mkdtemp(join(tmpdir(), "interlay-cli-"));
    executable = join(directory, "interlay");
    await copyFile(await buildSingleExecutable(), executable);
  });
  after(() => rm(directory, { recursive: true, force: true }));

  const run = (...argv: readonly string[]) =>
    spawnSync(executable, argv, { encoding: "utf8", cwd: directory, env: { HOME: directory }, timeout: 50_000 });

  it("prints its version without Node.js on the PATH, and nothing on stderr", () => {
    const { stdout, stderr } = run("version");
    assert.deepEqual([stdout, stderr], [`interlay    ${VERSION}\n`, ""]);
  });

  it("has the commands for a cluster, and not those that need a clone", () => {
    const { stdout } = run("--help");
    assert.match(stdout, /^ {2}status /m);
    assert.doesNotMatch(stdout, /^ {2}(test|cluster|dev) /m);
    const { status, stderr } = run("test");
    assert.equal(status, 2);
    assert.match(stderr, /unknown command/);
  });

  it("reports an API server that does not answer with exit status 2", () => {
    const { status, stderr } = run("status", "--kubeconfig", "none");
    assert.equal(status, 2);
    assert.match(stderr, /interlay status: /);
  });
});
