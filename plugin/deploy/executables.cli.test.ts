import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { VERSION } from "../version/version.ts";
import { buildInterlay, type Executables } from "./build-executables.ts";
import { NoCompilerError } from "./build-tool.ts";

/** Debian's package qemu-user-static. */
const QEMU = "/usr/bin/qemu-aarch64-static";
/** Debian's package libc6-arm64-cross. */
const LIBC_ROOT = "/usr/aarch64-linux-gnu";
const NOT_INSTALLED = [QEMU, join(LIBC_ROOT, "lib", "ld-linux-aarch64.so.1")].filter((path) => !existsSync(path));

/** Environment of a CNI call; no agent serves it. */
function buildCall(command: string): Record<string, string> {
  return {
    CNI_COMMAND: command,
    CNI_CONTAINERID: "c1",
    CNI_NETNS: "/proc/self/ns/net",
    CNI_IFNAME: "eth0",
    CNI_PATH: "/opt/cni/bin",
    INTERLAY_CNI_SOCKET: "/nonexistent/cni.sock",
  };
}

describe("the executables for linux/arm64", () => {
  let built: Executables;

  before(async function () {
    this.timeout(0); // the build takes a minute, or more on a busy machine
    const skip = (reason: string): void => {
      process.stdout.write(`      · skipped: ${reason}\n`);
      this.skip();
    };
    if (NOT_INSTALLED.length > 0) skip(`${NOT_INSTALLED.join(", ")} is not installed`);
    try {
      built = await buildInterlay("linux/arm64");
    } catch (error) {
      if (!(error instanceof NoCompilerError)) throw error;
      skip(error.message);
    }
  });

  const emulate = (executable: string, argv: readonly string[], env: Record<string, string> = {}, input = "") =>
    spawnSync(QEMU, ["-L", LIBC_ROOT, executable, ...argv], { encoding: "utf8", env, input, timeout: 50_000 });

  it("print the version", () => {
    const { stdout, stderr } = emulate(built.full, ["--version"]);
    assert.equal(stdout, `${VERSION}\n`, stderr);
  });

  it("answer VERSION", () => {
    const { stdout } = emulate(built.full, [], buildCall("VERSION"), '{"cniVersion":"1.0.0"}');
    assert.deepEqual((JSON.parse(stdout) as { supportedVersions: string[] }).supportedVersions.at(-1), "1.1.0");
  });

  it("parse the configuration of ADD and reject an unknown option", () => {
    const configuration = { cniVersion: "1.0.0", name: "underlay", type: "interlay", prevResult: {}, hijackCidr: [] };
    const { status, stdout } = emulate(built.full, [], buildCall("ADD"), JSON.stringify(configuration));
    assert.equal(status, 1, stdout);
    const { code, msg } = JSON.parse(stdout) as { code: number; msg: string };
    assert.equal(code, 7, msg);
    assert.match(msg, /hijackCidr/);
  });

  it("the executables for linux/arm64 have a launcher that starts without a loader and looks for the full plugin", () => {
    const { status, stdout } = emulate(built.launcher, [], buildCall("VERSION"), '{"cniVersion":"1.0.0"}');
    if (status === 0) return; // this machine executes arm64 files by itself (binfmt_misc)
    assert.match((JSON.parse(stdout) as { msg: string }).msg, /cannot execute interlay-full: Exec format error/);
  });
});
