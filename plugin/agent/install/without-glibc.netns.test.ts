import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { pingAddress } from "../../testing/exec.ts";
import type { CallArguments } from "../../testing/invocation.ts";
import { readPermanentState } from "../../testing/node.ts";
import { installPlugin, LIBRARY_DIRECTORY } from "./install.ts";
import { useTestNet } from "../../testing/use-test-net.ts";

/** Runs its argument where the loader of glibc does not exist, as on Alpine or Talos. */
const WITHOUT_LOADER = 'mount -t tmpfs none /usr/lib64 && exec "$0"';

describe("a node without glibc whose agent does not respond", () => {
  const net = useTestNet();
  const node = net.useNode("n1", "10.7.168.71");

  before(async () => {
    await installPlugin(node.binDirectory, net.plugins.interlay);
  });

  /** Calls the installed launcher, as a runtime does. */
  function callLauncher(...call: CallArguments): { readonly status: number | null; readonly stdout: string } {
    const { env, input } = net.invocation(...call);
    const launcher = join(node.binDirectory, "interlay");
    const argv = ["netns", "exec", node.name, "unshare", "--mount", "sh", "-c", WITHOUT_LOADER, launcher];
    return spawnSync("ip", argv, { env, input, encoding: "utf8" });
  }

  it("attaches and detaches a pod by the installed loader", () => {
    const pod = net.pod("u");
    const initial = readPermanentState(node);
    const prevResult = net.macvlan(node, pod, "eth0", [{ address: "10.7.200.1/16", gateway: "10.7.168.72" }]);
    const added = callLauncher("launcher", "ADD", node, pod, "eth0", { prevResult });
    assert.equal(added.status, 0, added.stdout);
    assert.ok(pingAddress(node.name, "10.7.200.1"), "the node does not reach the pod");
    assert.equal(callLauncher("launcher", "DEL", node, pod, "eth0", { prevResult }).status, 0);
    assert.deepEqual(readPermanentState(node), initial);
  });

  it("asks the runtime to try again later without the loader", () => {
    rmSync(join(node.binDirectory, LIBRARY_DIRECTORY), { recursive: true });
    const { status, stdout } = callLauncher("launcher", "ADD", node, net.pod("w"), "eth0", {});
    assert.deepEqual([status, (JSON.parse(stdout) as { code: number }).code], [1, 11], stdout);
  });
});
