import assert from "node:assert/strict";
import { readPermanentState } from "../../testing/node.ts";
import { splitLines } from "../../testing/restorable-state.ts";
import { execInNetns, execLocally, pingAddress } from "../../testing/exec.ts";
import { useTestNet } from "../../testing/use-test-net.ts";

const GATEWAY = "10.7.168.72";
const address = (host: number) => [
  { address: `10.7.200.${host}/16`, gateway: GATEWAY },
  { address: `fd07::200:${host}/64`, gateway: "fd07::72" },
];

/** An address is given again, to another pod or to the same container: what stood for it before must not be in the way. */
describe("stale state of an address", () => {
  const net = useTestNet("test");
  const node = net.useNode("n1", "10.7.168.71", {}, "fd07::71");
  const other = net.useNode("n2", GATEWAY, {}, "fd07::72");

  const onNode = (...argv: readonly string[]) => execLocally(["ip", "-n", node.name, ...argv]);
  const answers = (ip: string) => {
    assert.ok(pingAddress(node.name, ip), `node -> ${ip}: no answer`);
    assert.ok(pingAddress(other.name, ip), `other node -> ${ip}: no answer`);
  };

  it("should remove the node's stale routes and neighbours, and keep foreign ones", () => {
    const link = ["link", "add", "name", "cali0123456789a", "type", "veth", "peer", "name", "gone"];
    onNode(...link);
    onNode("link", "set", "cali0123456789a", "up");
    const mac = "02:00:00:00:00:07";
    for (const ip of ["10.7.200.1", "fd07::200:1"]) {
      onNode("route", "add", ip, "dev", "cali0123456789a", "proto", "105", "table", "500");
      onNode("route", "add", ip, "dev", "cali0123456789a", "proto", "105", "metric", "7");
      onNode("neighbour", "add", ip, "lladdr", mac, "dev", "cali0123456789a", "nud", "permanent");
    }
    onNode("neighbour", "add", "10.7.200.9", "lladdr", mac, "dev", "cali0123456789a", "nud", "permanent");
    onNode("route", "add", "10.7.200.1", "dev", "cali0123456789a", "table", "77"); // not ours: another protocol
    for (const [pod, ifname] of [
      [net.pod("u"), "eth0"],
      [net.pod("m"), "net1"],
    ] as const) {
      if (ifname === "net1") net.overlay(node, pod, "10.233.64.5", "fd33:64::5");
      net.attachAll(node, pod, ifname, address(1));
      const left = readPermanentState(node).filter((line) => line.includes("cali0123456789a"));
      assert.deepEqual(
        left.filter((line) => /200[.:]1 /.test(line)).map((line) => line.replace(/ linkdown/, "")),
        ["10.7.200.1 dev cali0123456789a table 77 scope link"],
        `of an earlier life, after ${ifname}`,
      );
      assert.ok(
        left.some((line) => line.startsWith("10.7.200.9 ")),
        "another address's neighbour went as well",
      );
      for (const { address: ip } of address(1)) answers(ip.split("/")[0] ?? "");
      assert.deepEqual(net.call("interlay", "CHECK", node, pod, ifname, {}), {});
      net.call("interlay", "DEL", node, pod, ifname, {});
      net.removePod(pod);
    }
  });

  it("should remove a stale rule of the pod", () => {
    const pod = net.pod("m");
    net.overlay(node, pod, "10.233.64.5", "fd33:64::5");
    for (const from of ["10.7.200.1", "fd07::200:1"])
      execLocally([
        "ip",
        "-n",
        pod.namespace,
        from.includes(":") ? "-6" : "-4",
        "rule",
        "add",
        "from",
        from,
        "lookup",
        "10099",
        "pref",
        "1000",
      ]);
    net.attachAll(node, pod, "net1", address(1));
    const rules = ["-4", "-6"].flatMap((family) => splitLines(execInNetns(pod.namespace, "ip", family, "rule")));
    assert.ok(!rules.some((line) => line.includes("10099")), rules.join("\n"));
    for (const ip of ["10.7.200.1", "fd07::200:1"]) answers(ip);
  });

  for (const [type, ifname] of [
    ["an underlay pod", "eth0"],
    ["a multi-NIC pod", "net1"],
  ] as const)
    it(`${type} that is added again with other addresses has nothing of the first`, () => {
      const pod = net.pod("p");
      if (ifname === "net1") net.overlay(node, pod, "10.233.64.5", "fd33:64::5");
      const initial = readPermanentState(node);
      const options = { hijackCIDRs: ["192.0.2.0/24", "2001:db8::/64"], mtu: 1400 };
      net.attachAll(node, pod, ifname, address(1), options);
      net.call("macvlan", "DEL", node, pod, ifname, { ipam: { type: "static" } });
      net.attachAll(node, pod, ifname, address(2));
      const inPod = ["-4", "-6"].flatMap((family) => [
        ...splitLines(execInNetns(pod.namespace, "ip", family, "route", "show", "table", "all")),
        ...splitLines(execInNetns(pod.namespace, "ip", family, "rule")),
      ]);
      const old = /\b10\.7\.200\.1\b|fd07::200:1\b|192\.0\.2\.0|2001:db8::/;
      assert.deepEqual(
        [...readPermanentState(node), ...inPod].filter((line) => old.test(line)),
        [],
      );
      for (const ip of ["10.7.200.2", "fd07::200:2"]) answers(ip);
      assert.deepEqual(net.call("interlay", "CHECK", node, pod, ifname, {}), {});
      net.call("interlay", "DEL", node, pod, ifname, {});
      assert.deepEqual(readPermanentState(node), initial);
    });
});
