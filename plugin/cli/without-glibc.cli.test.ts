import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { installPlugin, LIBRARY_DIRECTORY } from "../agent/install/install.ts";
import { buildInterlay } from "../deploy/build-executables.ts";
import { useDirectory } from "../testing/use-directory.ts";

describe("the launcher on a node without glibc", function () {
  this.timeout(20_000);
  const root = useDirectory("suite");
  const bin = join(root, "opt", "cni", "bin");

  /** Runs a program of the root, which has neither a loader nor libraries. */
  const runInRoot = (name: string, command: string, configuration: unknown) =>
    spawnSync("/usr/bin/unshare", ["--mount", `--root=${root}`, "--mount-proc=/proc", `/opt/cni/bin/${name}`], {
      encoding: "utf8",
      env: {
        CNI_COMMAND: command,
        CNI_CONTAINERID: "c1",
        CNI_NETNS: "/proc/self/ns/net",
        CNI_IFNAME: "eth0",
        CNI_PATH: "/opt/cni/bin",
        INTERLAY_CNI_SOCKET: "/nonexistent/cni.sock",
      },
      input: JSON.stringify(configuration),
    });
  const parseError = (text: string) => JSON.parse(text) as { code: number; msg: string };

  before(async function () {
    this.timeout(0);
    if (process.getuid?.() !== 0) this.skip(); // another root directory
    mkdirSync(bin, { recursive: true });
    mkdirSync(join(root, "proc"));
    mkdirSync(join(root, "var", "log", "interlay"), { recursive: true });
    await installPlugin(bin, (await buildInterlay()).full);
  });

  it("runs calls by the loader that the agent installed, while the agent does not respond", () => {
    const { stdout, stderr } = runInRoot("interlay", "VERSION", { cniVersion: "1.0.0" });
    assert.match(stdout, /"supportedVersions":/, stderr);
    const chained = { cniVersion: "1.0.0", name: "underlay", type: "interlay", prevResult: {}, hijackCidr: [] };
    const rejected = parseError(runInRoot("interlay", "ADD", chained).stdout);
    assert.deepEqual([rejected.code, /hijackCidr/.test(rejected.msg)], [7, true], rejected.msg);
  });

  it("passes the name of the IPAM plugin on, whose DEL succeeds without an agent", () => {
    const configuration = { cniVersion: "1.0.0", name: "underlay", type: "macvlan", ipam: { type: "interlay-ipam" } };
    const { status, stdout, stderr } = runInRoot("interlay-ipam", "DEL", configuration);
    assert.equal(status, 0, `${stdout}${stderr}`);
    assert.match(readFileSync(join(root, "var", "log", "interlay", "cni.log"), "utf8"), /"interlay-ipam"/);
  });

  it("asks the runtime to try again later if the loader is missing", () => {
    rmSync(join(bin, LIBRARY_DIRECTORY), { recursive: true });
    const { status, stdout } = runInRoot("interlay", "ADD", {});
    const { code, msg } = parseError(stdout);
    assert.deepEqual([status, code], [1, 11]);
    assert.match(msg, /the agent does not respond.*no glibc/);
  });
});
