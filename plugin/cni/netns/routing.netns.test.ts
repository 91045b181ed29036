import assert from "node:assert/strict";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readPermanentState } from "../../testing/node.ts";
import { splitLines } from "../../testing/restorable-state.ts";
import { execInNetns, pingAddress } from "../../testing/exec.ts";
import { useTestNet } from "../../testing/use-test-net.ts";

const GATEWAY = "10.7.168.72";
const OVERLAY = "10.233.64.5";

describe("the default route's NIC", () => {
  const net = useTestNet();
  const node = net.useNode("n1", "10.7.168.71", {}, "fd07::71");
  net.useNode("n2", GATEWAY, {}, "fd07::72");
  const pod = net.usePod("m");

  before(() => {
    net.overlay(node, pod, OVERLAY, "fd33:64::5");
  });

  const both = [
    { address: "10.7.200.2/16", gateway: GATEWAY },
    { address: "fd07::200:2/64", gateway: "fd07::72" },
  ];
  const prevResult = (ifname: string, gateway?: string) => ({
    cniVersion: "1.0.0",
    interfaces: [{ name: ifname, sandbox: pod.netns }],
    ips: [{ address: "10.7.200.2/16", interface: 0, ...(gateway === undefined ? {} : { gateway }) }],
  });
  const defaults = () =>
    ["-4", "-6"].flatMap((family) => splitLines(execInNetns(pod.namespace, "ip", family, "route", "show", "default")));

  it("should stay eth0 by default", () => {
    net.attachAll(node, pod, "net1", both);
    assert.match(defaults().join("\n"), /^default via 169\.254\.1\.1 dev eth0 *\ndefault via fe80::1 dev eth0/);
  });

  it("should be net1 by configuration in both families, and eth0 again after DEL", () => {
    net.call("macvlan", "DEL", node, pod, "net1", { ipam: { type: "static" } });
    net.call("interlay", "DEL", node, pod, "net1", {});
    const options = { podDefaultRouteNic: "net1" };
    const prev = net.macvlan(node, pod, "net1", both);
    for (let round = 0; round < 2; round++) {
      net.call("interlay", "ADD", node, pod, "net1", { ...options, prevResult: prev });
      assert.match(defaults().join("\n"), /^default via 10\.7\.168\.72 dev net1 *\ndefault via fd07::72 dev net1/);
      assert.equal(defaults().length, 2, defaults().join("\n"));
    }
    net.call("interlay", "CHECK", node, pod, "net1", options);
    assert.ok(pingAddress(node.name, OVERLAY), "node -> overlay address: no answer while net1 has the default route");
    assert.ok(
      pingAddress(node.name, "10.7.200.2"),
      "node -> net1's address: no answer while net1 has the default route",
    );
    net.call("interlay", "DEL", node, pod, "net1", options);
    assert.match(defaults().join("\n"), /^default via 169\.254\.1\.1 dev eth0.*\ndefault via fe80::1 dev eth0/);
  });

  it("should prefer the pod's annotation to the configuration", () => {
    const directory = join(node.stateDirectory, "pod-options");
    mkdirSync(directory, { recursive: true });
    const file = join(directory, `${pod.containerId}-net1.json`);
    writeFileSync(file, JSON.stringify({ defaultRouteNic: "net1" }));
    const add = { podDefaultRouteNic: "eth0", prevResult: prevResult("net1", GATEWAY) };
    net.call("interlay", "ADD", node, pod, "net1", add);
    assert.match(defaults().join("\n"), /^default via 10\.7\.168\.72 dev net1/);
    net.call("interlay", "DEL", node, pod, "net1", {});
    rmSync(file);
  });

  it("should follow the annotation for a NIC that is attached later", () => {
    const directory = join(node.stateDirectory, "pod-options");
    const later = net.pod("later");
    net.overlay(node, later, "10.233.64.6", "fd33:64::6");
    mkdirSync(directory, { recursive: true });
    for (const ifname of ["lan0", "storage"])
      writeFileSync(
        join(directory, `${later.containerId}-${ifname}.json`),
        JSON.stringify({ defaultRouteNic: "storage" }),
      );
    const route = () => splitLines(execInNetns(later.namespace, "ip", "-4", "route", "show", "default")).join("\n");
    const address = (host: number) => [{ address: `10.7.200.${host}/16`, gateway: GATEWAY }];
    net.attachAll(node, later, "lan0", address(7));
    assert.match(route(), /^default via 169\.254\.1\.1 dev eth0/);
    net.attachAll(node, later, "storage", address(8));
    assert.match(route(), /^default via 10\.7\.168\.72 dev storage/);
    for (const ifname of ["lan0", "storage"]) net.call("interlay", "DEL", node, later, ifname, {});
    assert.match(route(), /^default via 169\.254\.1\.1 dev eth0/);
  });

  it("should reject an unknown NIC and a NIC without gateway", () => {
    const initial = readPermanentState(node);
    const buildOptions = (podDefaultRouteNic: string, gateway?: string) =>
      net.tryCall("interlay", "ADD", node, pod, "net1", {
        podDefaultRouteNic,
        prevResult: prevResult("net1", gateway),
      });
    assert.equal(buildOptions("lan7").json["code"], 103);
    assert.match(String(buildOptions("lan7").json["msg"]), /lan7 was chosen .* the pod's NICs are eth0, net1/);
    assert.match(String(buildOptions("net1").json["msg"]), /net1 was chosen .* no gateway/);
    assert.equal(buildOptions("net2").status, 0, "net2 comes after net1: its own ADD makes the route");
    net.call("interlay", "DEL", node, pod, "net1", {});
    assert.deepEqual(readPermanentState(node), initial);
  });
});

describe("tables and priorities", () => {
  const net = useTestNet();
  const node = net.useNode("n1", "10.7.168.71");
  net.useNode("n2", GATEWAY);
  const numbers = { hostRouteTable: 777, hostRulePriority: 1777, podRulePriority: 2777, podMarkPriority: 1777 };

  it("should be those of the configuration for a multi-NIC pod, and be removed with it", () => {
    const initial = readPermanentState(node);
    const pod = net.pod("m");
    net.overlay(node, pod, OVERLAY);
    const own = readPermanentState(node);
    const address = { address: "10.7.200.2/16", gateway: GATEWAY };
    net.attachAll(node, pod, "net1", [address], numbers);
    assert.match(execInNetns(node.name, "ip", "rule"), /^1777:\s+from all lookup 777/m);
    assert.match(execInNetns(node.name, "ip", "route", "show", "table", "777"), /^10\.7\.200\.2 dev cali/m);
    assert.match(execInNetns(pod.namespace, "ip", "rule"), /^2777:\s+from 10\.7\.200\.2 lookup/m);
    assert.ok(pingAddress(node.name, "10.7.200.2"), "node -> net1's address: no answer by another table");
    net.call("interlay", "CHECK", node, pod, "net1", numbers);
    net.call("interlay", "DEL", node, pod, "net1", numbers);
    assert.deepEqual(readPermanentState(node), own);
    assert.notDeepEqual(own, initial);
  });

  it("should be those of the configuration for an underlay pod", () => {
    const pod = net.pod("u");
    const address = { address: "10.7.200.3/16", gateway: GATEWAY };
    net.attachAll(node, pod, "eth0", [address], numbers);
    assert.match(
      execInNetns(pod.namespace, "ip", "rule"),
      /^1777:\s+from all fwmark 0x20000000\/0x20000000 lookup 500/m,
    );
    assert.ok(pingAddress(node.name, "10.7.200.3"));
  });

  it("should be rejected if the kernel uses them or their order is wrong", () => {
    const pod = net.pod("w");
    const prevResult = net.macvlan(node, pod, "eth0", [{ address: "10.7.200.4/16", gateway: GATEWAY }]);
    for (const [wrong, message] of [
      [{ hostRouteTable: 254 }, /hostRouteTable: 253, 254 and 255 are the kernel's own/],
      [{ hijackCIDRs: ["0.0.0.0/0"] }, /hijackCIDRs\.0: invalid network "0\.0\.0\.0\/0": it contains every address/],
      [{ hostRulePriority: 0 }, /hostRulePriority/],
      [{ podRulePriority: 32_766 }, /podRulePriority/],
      [{ podMarkPriority: 1000 }, /podMarkPriority: 1000 is not less than podRulePriority, 1000/],
      [{ podDefaultRouteNic: "" }, /podDefaultRouteNic/],
    ] as const) {
      const { json } = net.tryCall("interlay", "ADD", node, pod, "eth0", { prevResult, ...wrong });
      assert.equal(json["code"], 7, JSON.stringify(json));
      assert.match(String(json["msg"]), message);
    }
  });
});
