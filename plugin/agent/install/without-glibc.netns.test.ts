import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { pingAddress } from "../../testing/exec.ts";
import type { CallArguments } from "../../testing/invocation.ts";
import { readPermanentState } from "../../testing/node.ts";
import { installPlugin, LIBRARY_DIRECTORY } from "./install.ts";
import { useTestNet } from "../../testing/use-test-net.ts";

/** Loader of musl, which is also its C library. */
const MUSL = "/lib/ld-musl-$(uname -m).so.1";
/**
 * Runs its arguments in a root directory of musl, as on Alpine, which is read-only, as on Talos. It has no shell, no glibc, and only
 * the directory `$VISIBLE` of the machine.
 */
const IN_MUSL_ROOT = `
root=/mnt && mount -t tmpfs none "$root" && mkdir "$root/lib" "$root/var" && cp -L "${MUSL}" "$root/lib/" &&
ln -s /run "$root/var/run" &&
for path in /proc /sys /dev /run "$VISIBLE"; do
  mkdir -p "$root$path" && mount --rbind "$path" "$root$path" || exit 1
done
mount -o remount,ro "$root" && exec chroot "$root" "$@"`;

describe("a node of musl without glibc, whose agent does not respond", () => {
  const net = useTestNet();
  const node = net.useNode("n1", "10.7.168.71");

  before(async () => {
    await installPlugin(node.binDirectory, net.plugins.interlay);
  });

  /** Runs a program in the node's network namespace and a root directory of musl. */
  function runInMuslRoot(argv: readonly string[], env: NodeJS.ProcessEnv = {}, input = "") {
    const shell = ["unshare", "--mount", "sh", "-c", IN_MUSL_ROOT, "musl"];
    return spawnSync("ip", ["netns", "exec", node.name, ...shell, ...argv], {
      env: { PATH: process.env["PATH"], VISIBLE: dirname(node.binDirectory), ...env },
      input,
      encoding: "utf8",
    });
  }

  /** Calls the installed launcher, as a runtime does. */
  function callLauncher(...call: CallArguments): {
    readonly status: number | null;
    readonly stdout: string;
    readonly stderr: string;
  } {
    const { env, input } = net.invocation(...call);
    return runInMuslRoot([join(node.binDirectory, "interlay")], env, input);
  }

  it("has musl's loader, and cannot start the full plugin by itself", () => {
    assert.match(
      runInMuslRoot([`/lib/ld-musl-${process.arch === "arm64" ? "aarch64" : "x86_64"}.so.1`]).stderr,
      /^musl/,
    );
    const { status, stderr } = runInMuslRoot([join(node.binDirectory, "interlay-full"), "--version"]);
    assert.deepEqual([status, /No such file or directory/.test(stderr)], [127, true], stderr);
  });

  it("attaches and detaches a pod by the loader that the agent installed", () => {
    const pod = net.pod("u");
    const initial = readPermanentState(node);
    const prevResult = net.macvlan(node, pod, "eth0", [{ address: "10.7.200.1/16", gateway: "10.7.168.72" }]);
    const added = callLauncher("launcher", "ADD", node, pod, "eth0", { prevResult });
    assert.equal(added.status, 0, `${added.stdout}${added.stderr}`);
    assert.ok(pingAddress(node.name, "10.7.200.1"), "the node does not reach the pod");
    assert.equal(callLauncher("launcher", "DEL", node, pod, "eth0", { prevResult }).status, 0);
    assert.deepEqual(readPermanentState(node), initial);
  });

  it("asks the runtime to try again later without that loader", () => {
    rmSync(join(node.binDirectory, LIBRARY_DIRECTORY), { recursive: true });
    const { status, stdout } = callLauncher("launcher", "ADD", node, net.pod("w"), "eth0", {});
    assert.deepEqual([status, (JSON.parse(stdout) as { code: number }).code], [1, 11], stdout);
  });
});
