import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readPermanentState } from "../../testing/node.ts";
import { splitLines } from "../../testing/restorable-state.ts";
import { execInNetns } from "../../testing/exec.ts";
import { useTestNet } from "../../testing/use-test-net.ts";

const NODELOCALDNS = "169.254.20.10/32";
const address = { address: "10.7.200.1/16", gateway: "10.7.168.72" };

describe("options of a network", () => {
  const net = useTestNet();
  const node = net.useNode("n1", "10.7.168.71");

  const interlay = (...argv: readonly string[]) =>
    spawnSync("ip", ["netns", "exec", node.name, net.plugins.interlay, ...argv], { encoding: "utf8" });
  const readRoutes = (namespace: string) => splitLines(execInNetns(namespace, "ip", "route"));

  it("hijackCIDRs should route further destinations through the node", () => {
    const underlay = net.pod("h");
    net.attachAll(node, underlay, "eth0", [address], { hijackCIDRs: [NODELOCALDNS, "192.0.2.0/24"] });
    const multi = net.pod("hm");
    net.overlay(node, multi, "10.233.64.9");
    net.attachAll(node, multi, "net1", [{ address: "10.7.200.2/16" }], { hijackCIDRs: [NODELOCALDNS] });
    for (const [pod, expected] of [
      [underlay, "169.254.20.10 via 10.7.168.71 dev veth0 src 10.7.200.1"],
      [underlay, "192.0.2.0/24 via 10.7.168.71 dev veth0 src 10.7.200.1"],
      [multi, "169.254.20.10 via 10.7.168.71 dev eth0 src 10.233.64.9"],
    ] as const) {
      const routes = readRoutes(pod.namespace);
      assert.ok(routes.includes(expected), `the pod lacks the route "${expected}"; it has:\n${routes.join("\n")}`);
    }
    net.tryCall("interlay", "DEL", node, underlay, "eth0", {});
    net.tryCall("interlay", "DEL", node, multi, "net1", {});
  });

  it("dryRun should return ADD's result and change nothing", () => {
    const pod = net.pod("d");
    const prevResult = net.macvlan(node, pod, "eth0", [address]);
    const initial = [readPermanentState(node), readPermanentState({ ...node, name: pod.namespace })];
    const json = net.call("interlay", "ADD", node, pod, "eth0", { prevResult, dryRun: true });
    assert.match(JSON.stringify(json["interfaces"]), /"veth0"/);
    assert.deepEqual([readPermanentState(node), readPermanentState({ ...node, name: pod.namespace })], initial);
    assert.equal(net.tryCall("interlay", "CHECK", node, pod, "eth0", {}).json["code"], 3, "there is a record");

    // As a person asks: by a flag, of what a runtime starts.
    const { executable, env, input } = net.invocation("launcher", "ADD", node, pod, "eth0", { prevResult });
    const argv = ["netns", "exec", node.name, executable, "--dry-run"];
    const { status: ended, stdout } = spawnSync("ip", argv, { env, input, encoding: "utf8" });
    assert.equal(ended, 0, stdout);
    assert.deepEqual(JSON.parse(stdout), json);
    assert.deepEqual([readPermanentState(node), readPermanentState({ ...node, name: pod.namespace })], initial);
  });

  it("should name an invalid option before any change", () => {
    const pod = net.pod("w");
    const prevResult = net.macvlan(node, pod, "eth0", [address]);
    const initial = readPermanentState(node);
    for (const [wrong, message] of [
      [{ hijackCIDRs: ["10.0.0.0/33"] }, /hijackCIDRs\.0.*invalid CIDR/],
      [{ hijackCIDRs: "10.0.0.0/8" }, /hijackCIDRs/],
      [{ mtu: 12 }, /mtu/],
      [{ mode: "sideways" }, /mode/],
    ] as const) {
      const { status, json } = net.tryCall("interlay", "ADD", node, pod, "eth0", { prevResult, ...wrong });
      assert.deepEqual([status, json["code"]], [1, 7], JSON.stringify(json));
      assert.match(String(json["msg"]), message);
    }
    assert.deepEqual(readPermanentState(node), initial);
  });

  it("should reject a node path in a network configuration, and DEL should still clean up", () => {
    const pod = net.pod("paths");
    const initial = readPermanentState(node);
    net.attachAll(node, pod, "eth0", [address]);
    for (const option of ["logFile", "stateDirectory"])
      for (const plugin of ["interlay", "launcher"] as const) {
        const path = join(node.stateDirectory, "written", option);
        const config = { [option]: path };
        const prevResult = { interfaces: [{ name: "eth0" }], ips: [{ address: "10.7.200.1/16", interface: 0 }] };
        for (const verb of ["ADD", "CHECK"]) {
          const { status, json } = net.tryCall(plugin, verb, node, pod, "eth0", { ...config, prevResult });
          assert.deepEqual([status, json["code"]], [1, 7], `${plugin} ${verb}: ${JSON.stringify(json)}`);
          assert.match(String(json["msg"]), new RegExp(`^${option} is not allowed in a network configuration`));
        }
        assert.ok(!existsSync(join(path, "..")), `${plugin} made ${path}`);
      }
    net.call("interlay", "DEL", node, pod, "eth0", { logFile: "/x", stateDirectory: "/x" });
    assert.deepEqual(readPermanentState(node), initial);
    assert.ok(!existsSync("/x"));
  });

  it("explain should print an attached pod's plan with reasons and missing items", () => {
    const pod = net.pod("e");
    net.attachAll(node, pod, "eth0", [address]);
    const explain = () =>
      interlay("explain", "--pod", `test/${pod.namespace}`, "--state-directory", node.stateDirectory).stdout;
    const whole = explain();
    assert.match(whole, /^pod: route 10\.233\.0\.0\/18 via 10\.7\.168\.71 dev veth0 src 10\.7\.200\.1$/m);
    assert.match(whole, /^ {4}Services exist on the node alone/m);
    assert.match(whole, /^ {4}contract: pod, main table$/m);
    assert.doesNotMatch(whole, /MISSING/);
    execInNetns(pod.namespace, "ip", "route", "delete", "10.233.0.0/18");
    assert.deepEqual(
      splitLines(explain()).filter((line) => line.includes("MISSING")),
      [
        "pod: route 10.233.0.0/18 via 10.7.168.71 dev veth0 src 10.7.200.1 MISSING in the kernel: the agent restores it",
      ],
    );
    net.tryCall("interlay", "DEL", node, pod, "eth0", {});
    const explained = interlay("explain", "--pod", `test/${pod.namespace}`, "--state-directory", node.stateDirectory);
    assert.equal(explained.status, 1);
    assert.match(explained.stderr, /is not attached on this node/);
  });

  it("explain of a configuration should print ADD's plan and change nothing", () => {
    const pod = net.pod("c");
    const { input } = net.invocation("interlay", "ADD", node, pod, "eth0", {
      prevResult: net.macvlan(node, pod, "eth0", [address]),
    });
    const file = join(node.stateDirectory, "config.json");
    writeFileSync(file, input);
    const initial = readPermanentState(node);
    const { stdout, stderr, status } = interlay(
      "explain",
      "--config",
      file,
      "--netns",
      pod.netns,
      "--state-directory",
      node.stateDirectory,
    );
    assert.equal(status, 0, stderr);
    assert.match(stdout, /^link veth0 \(pod\) <-> vethil[0-9a-f]{9} \(node\) mtu 1500$/m);
    assert.deepEqual(readPermanentState(node), initial);
  });
});
