import assert from "node:assert/strict";
import { readPermanentState } from "../../testing/node.ts";
import { splitLines } from "../../testing/restorable-state.ts";
import { execInNetns, execLocally, pingAddress } from "../../testing/exec.ts";
import { useTestNet } from "../../testing/use-test-net.ts";

/** Shapes of pods beyond the seed's three: more NICs, other names, other uplinks, other main net.plugins. */
const GATEWAY = "10.7.168.72";

describe("pods of other shapes", () => {
  const net = useTestNet("test");
  const node = net.useNode("n1", "10.7.168.71");
  const other = net.useNode("n2", GATEWAY);
  let untouched: readonly string[];

  beforeEach(() => {
    untouched = readPermanentState(node);
  });

  const address = (last: number) => ({ address: `10.7.200.${last}/16`, gateway: GATEWAY });
  const answers = (ip: string): void => {
    assert.ok(pingAddress(node.name, ip), `node -> ${ip}: no answer`);
    assert.ok(pingAddress(other.name, ip), `other node -> ${ip}: no answer`);
  };

  for (const names of [
    ["eth0", "net1"],
    ["eth0", "net1", "net2"],
    ["eth0", "lan0", "storage"],
  ])
    it(`an underlay pod with ${names.join(", ")} answers on each from its node and another, and leaves nothing`, () => {
      const pod = net.pod("u");
      for (const [index, name] of names.entries()) net.attachAll(node, pod, name, [address(index + 1)]);
      for (const [index, name] of names.entries()) {
        answers(`10.7.200.${index + 1}`);
        net.call("interlay", "CHECK", node, pod, name, {});
      }
      for (const [index, name] of names.entries())
        if (name !== "eth0")
          assert.match(
            execInNetns(pod.namespace, "ip", "route", "get", "10.7.9.9", "from", `10.7.200.${index + 1}`),
            new RegExp(`dev ${name} `),
            `what comes from ${name}'s address leaves by another link`,
          );
      for (const name of [...names].reverse()) net.call("interlay", "DEL", node, pod, name, {});
      assert.deepEqual(readPermanentState(node), untouched);
    });

  it("a multi-NIC pod with NICs lan0 and storage should answer on each, and DEL should remove one", () => {
    const pod = net.pod("m");
    net.overlay(node, pod, "10.233.64.5");
    const own = readPermanentState(node);
    net.attachAll(node, pod, "lan0", [address(1)]);
    net.attachAll(node, pod, "storage", [address(2)]);
    for (const ip of ["10.7.200.1", "10.7.200.2"]) answers(ip);
    net.call("interlay", "DEL", node, pod, "lan0", {});
    answers("10.7.200.2");
    assert.ok(pingAddress(node.name, "10.233.64.5"), "node -> overlay address: no answer after one of two NICs went");
    net.call("interlay", "DEL", node, pod, "storage", {});
    assert.deepEqual(readPermanentState(node), own);
  });

  it("a multi-NIC pod should answer a network by each NIC's own gateway", () => {
    const third = net.node("n3", "10.7.168.73");
    const far = "192.0.2.9";
    for (const one of [other, third]) execInNetns(one.name, "ip", "address", "add", `${far}/32`, "dev", "lo");
    const pod = net.pod("m");
    net.overlay(node, pod, "10.233.64.5");
    for (const [name, ip, gw] of [
      ["net1", "10.7.200.1", other.address],
      ["net2", "10.7.200.2", third.address],
    ] as const) {
      const ipam = {
        type: "static",
        addresses: [{ address: `${ip}/16`, gateway: "10.7.0.1" }],
        routes: [{ dst: "192.0.2.0/24", gw }],
      };
      const prevResult = net.call("macvlan", "ADD", node, pod, name, { master: "eth0", mode: "bridge", ipam });
      net.call("interlay", "ADD", node, pod, name, { prevResult });
    }
    for (const [ip, name, gw] of [
      ["10.7.200.1", "net1", other.address],
      ["10.7.200.2", "net2", third.address],
    ] as const) {
      assert.match(
        execInNetns(pod.namespace, "ip", "route", "get", far, "from", ip),
        new RegExp(`via ${gw} dev ${name} `),
        `what ${name}'s address says to ${far} does not take the route of ${name}`,
      );
      assert.ok(pingAddress(pod.namespace, far, ip), `${ip} -> ${far}: no answer`);
      net.call("interlay", "CHECK", node, pod, name, {});
    }
  });

  it("an underlay pod whose uplink is a bridge", () => {
    const ip = (...argv: readonly string[]) => execLocally(["ip", "-n", node.name, ...argv]);
    ip("link", "add", "name", "uplink0", "type", "bridge");
    ip("address", "delete", "10.7.168.71/16", "dev", "eth0");
    ip("link", "set", "eth0", "master", "uplink0");
    ip("address", "add", "10.7.168.71/16", "dev", "uplink0");
    ip("link", "set", "uplink0", "up");
    const pod = net.pod("u");
    const prevResult = net.call("macvlan", "ADD", node, pod, "eth0", {
      master: "uplink0",
      mode: "bridge",
      ipam: { type: "static", addresses: [address(1)], routes: [{ dst: "0.0.0.0/0", gw: GATEWAY }] },
    });
    net.call("interlay", "ADD", node, pod, "eth0", { prevResult });
    answers("10.7.200.1");
  });

  // the nodes' own uplink is a veth to the switch: every other test here has macvlan on a veth
  it("an underlay pod whose uplink is a veth, one of several", () => {
    assert.match(execInNetns(node.name, "ip", "-d", "link", "show", "eth0"), /\bveth\b/);
    const pod = net.pod("u");
    net.attachAll(node, pod, "eth0", [address(1)]);
    answers("10.7.200.1");
  });

  for (const main of ["ptp", "bridge"] as const)
    it(`behind ${main}: eth0 leads to the node already and nothing is made; a macvlan net1 is wired by it`, () => {
      const pod = net.pod("b");
      const prevResult = net.call(main, "ADD", node, pod, "eth0", {
        ...(main === "bridge" ? { bridge: "cni0", isGateway: true } : {}),
        ipam: {
          type: "static",
          addresses: [{ address: "10.233.64.5/24", gateway: "10.233.64.1" }],
          routes: [{ dst: "0.0.0.0/0" }],
        },
      });
      const own = readPermanentState(node);
      const chained = net.call("interlay", "ADD", node, pod, "eth0", { prevResult });
      assert.deepEqual(chained["interfaces"], prevResult["interfaces"]);
      assert.deepEqual(readPermanentState(node), own);
      net.attachAll(node, pod, "net1", [address(1)]);
      answers("10.7.200.1");
      assert.ok(pingAddress(node.name, "10.233.64.5"), "node -> eth0's address: no answer");
      // as what the node masquerades: by ptp's end, which has the gateway's address
      if (main === "ptp")
        assert.ok(
          pingAddress(node.name, "10.7.200.1", "10.233.64.1"),
          "the node's end of ptp's pair -> net1: no answer",
        );
      net.call("interlay", "DEL", node, pod, "net1", {});
      net.call("interlay", "DEL", node, pod, "eth0", {});
      assert.deepEqual(readPermanentState(node), own);
    });

  it("behind ipvlan, where the kernel has it", function () {
    const pod = net.pod("i");
    const { status, json } = net.tryCall("ipvlan", "ADD", node, pod, "eth0", {
      master: "eth0",
      mode: "l2",
      ipam: { type: "static", addresses: [address(1)], routes: [{ dst: "0.0.0.0/0", gw: GATEWAY }] },
    });
    if (status !== 0 && /operation not supported/.test(String(json["msg"]))) this.skip();
    assert.equal(status, 0, JSON.stringify(json));
    net.call("interlay", "ADD", node, pod, "eth0", { prevResult: json });
    answers("10.7.200.1");
    assert.ok(splitLines(execInNetns(pod.namespace, "ip", "route")).some((line) => line.includes("dev veth0")));
  });
});

describe("replies leave by the link of the request", () => {
  const net = useTestNet("test");
  for (const filter of ["0", "1", "2"])
    it(`with rp_filter ${filter} as every new link's and every namespace's own`, () => {
      const node = net.node("n1", "10.7.168.71");
      const other = net.node("n2", GATEWAY);
      const strict = (namespace: string, ...links: readonly string[]) => {
        for (const link of ["all", "default", ...links])
          execInNetns(namespace, "sysctl", "-qw", `net.ipv4.conf.${link}.rp_filter=${filter}`);
      };
      strict(node.name, "eth0");
      strict(other.name, "eth0");
      execInNetns(node.name, "ip", "address", "add", "192.0.2.1/32", "dev", "lo");

      // without it the kernel answers no ARP for Calico's gateway, 169.254.1.1
      execInNetns(node.name, "ip", "route", "add", "default", "via", GATEWAY);

      const underlay = net.pod("u");
      strict(underlay.namespace);
      net.attach(node, underlay, "eth0", "10.7.200.1/16", GATEWAY);
      // into veth0 and out of veth0: a client that the pod would answer by the wire (NodePort, its source kept)
      assert.ok(pingAddress(node.name, "10.7.200.1", "192.0.2.1"), "in by veth0: no answer");
      assert.ok(pingAddress(node.name, "10.7.200.1"), "from the node: no answer");
      assert.ok(pingAddress(other.name, "10.7.200.1"), "in by eth0: no answer");
      assert.ok(pingAddress(underlay.namespace, node.address), "to the node: no answer");

      const multi = net.pod("m");
      strict(multi.namespace);
      net.overlay(node, multi, "10.233.64.5");
      net.attach(node, multi, "net1", "10.7.200.2/16", GATEWAY);
      assert.ok(pingAddress(other.name, "10.7.200.2"), "in by net1: no answer");
      assert.ok(pingAddress(node.name, "10.233.64.5", "192.0.2.1"), "in by the overlay's eth0: no answer");
      assert.ok(pingAddress(node.name, "10.7.200.2"), "to net1's address from the node, in by eth0: no answer");
      // from an underlay pod of the same node to both addresses
      assert.ok(pingAddress(underlay.namespace, "10.7.200.2"), "underlay pod -> net1: no answer");
      assert.ok(pingAddress(underlay.namespace, "10.233.64.5"), "underlay pod -> overlay address: no answer");
    });
});
