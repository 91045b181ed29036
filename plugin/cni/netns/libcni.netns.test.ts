import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readPermanentState } from "../../testing/node.ts";
import { splitLines } from "../../testing/restorable-state.ts";
import { buildPathVariables, type TestPod } from "../../testing/invocation.ts";
import { execInNetns, pingAddress } from "../../testing/exec.ts";
import { useTestNet } from "../../testing/use-test-net.ts";

/** As runtimes call the plugin: by libcni, with the specification's own program (containernetworking/cni, cnitool). */
describe("under libcni", () => {
  const net = useTestNet();
  const node = net.useNode("n1", "10.7.168.71");
  const cnitool = process.env["INTERLAY_CNITOOL"] ?? "";

  /** A conflist of macvlan and interlay in a directory of its own. */
  function network(cniVersion: string): string {
    const directory = join(node.stateDirectory, `net-${cniVersion}`);
    mkdirSync(directory, { recursive: true });
    const addresses = [{ address: "10.7.200.1/16", gateway: "10.7.168.72" }];
    const ipam = { type: "static", addresses, routes: [{ dst: "0.0.0.0/0", gw: "10.7.168.72" }] };
    const list = [{ type: "macvlan", master: "eth0", mode: "bridge", ipam }, { type: "interlay" }];
    writeFileSync(join(directory, "10.conflist"), JSON.stringify({ cniVersion, name: "underlay", plugins: list }));
    return directory;
  }

  function tool(verb: string, directory: string, pod: TestPod, paths = buildPathVariables(node)) {
    const { status, stdout, stderr } = spawnSync(
      "ip",
      ["netns", "exec", node.name, cnitool, verb, "underlay", pod.netns],
      {
        encoding: "utf8",
        env: {
          PATH: process.env["PATH"],
          CNI_PATH: `${join(net.plugins.interlay, "..")}:${net.plugins.reference}`,
          NETCONFPATH: directory,
          CNI_ARGS: `IgnoreUnknown=1;K8S_POD_NAMESPACE=test;K8S_POD_NAME=${pod.namespace}`,
          ...paths,
        },
      },
    );
    return { status, stdout, said: `${stdout}${stderr}` };
  }

  for (const version of ["0.3.1", "0.4.0", "1.0.0", "1.1.0"])
    it(`is added, checked and deleted, cniVersion ${version}`, () => {
      const pod = net.pod(`l${version.replaceAll(".", "")}`);
      const directory = network(version);
      const initial = readPermanentState(node);
      const added = tool("add", directory, pod);
      assert.equal(added.status, 0, added.said);
      const result = JSON.parse(added.stdout) as { cniVersion: string; interfaces: { name: string }[] };
      assert.equal(result.cniVersion, version);
      assert.ok(
        result.interfaces.some(({ name }) => name === "veth0"),
        added.stdout,
      );
      assert.ok(pingAddress(pod.namespace, node.address), "pod -> its node: no answer by veth0");
      const checked = tool("check", directory, pod);
      if (version === "0.3.1") {
        assert.match(checked.said, /does not support the CHECK command/, "CHECK came with 0.4.0");
        assert.equal(tool("del", directory, pod).status, 0);
        assert.deepEqual(readPermanentState(node), initial);
        return;
      }
      assert.equal(checked.status, 0, checked.said);
      execInNetns(pod.namespace, "ip", "route", "delete", "10.233.0.0/18");
      const drifted = tool("check", directory, pod);
      assert.notEqual(drifted.status, 0, "CHECK did not see that a route is missing");
      assert.match(drifted.said, /lacks 1 of .*route 10\.233\.0\.0\/18/);
      const deleted = tool("del", directory, pod);
      assert.equal(deleted.status, 0, deleted.said);
      assert.equal(tool("del", directory, pod).status, 0, "DEL a second time");
      assert.deepEqual(readPermanentState(node), initial);
    });

  it("should report by STATUS whether it can serve, cniVersion 1.1.0", () => {
    const pod = net.pod("s");
    assert.equal(tool("status", network("1.1.0"), pod).status, 0);
    const empty = buildPathVariables({ stateDirectory: join(node.stateDirectory, "none") });
    const none = tool("status", network("1.1.0"), pod, empty);
    assert.notEqual(none.status, 0);
    assert.match(none.said, /facts\.json is missing/);
  });

  it("should remove by GC only invalid attachments, cniVersion 1.1.0", () => {
    const directory = network("1.1.0");
    const initial = readPermanentState(node);
    const lost = net.pod("g");
    const added = tool("add", directory, lost);
    assert.equal(added.status, 0, added.said);
    assert.notDeepEqual(readPermanentState(node), initial);
    // cnitool knows of no valid attachment at all.
    const collected = tool("gc", directory, lost);
    assert.equal(collected.status, 0, collected.said);
    assert.deepEqual(readPermanentState(node), initial);
    assert.ok(!splitLines(execInNetns(lost.namespace, "ip", "-o", "link")).some((line) => line.includes("veth0")));
  });
});
