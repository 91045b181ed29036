import assert from "node:assert/strict";
import { readPermanentState } from "../../testing/node.ts";
import { splitLines } from "../../testing/restorable-state.ts";
import { execInNetns, pingAddress } from "../../testing/exec.ts";
import { useTestNet } from "../../testing/use-test-net.ts";

const NODE6 = "fd07::71";
const OTHER6 = "fd07::72";

for (const [title, addresses] of [
  ["IPv6 alone", [{ address: "fd07::200:1/64", gateway: OTHER6 }]],
  [
    "both families",
    [
      { address: "10.7.200.1/16", gateway: "10.7.168.72" },
      { address: "fd07::200:1/64", gateway: OTHER6 },
    ],
  ],
] as const)
  describe(`an underlay pod with ${title}`, () => {
    const net = useTestNet();
    const node = net.useNode("n1", "10.7.168.71", {}, NODE6);
    net.useNode("n2", "10.7.168.72", {}, OTHER6);
    const pod = net.usePod("u");
    let untouched: readonly string[];

    before(() => {
      untouched = readPermanentState(node);
      net.attachAll(node, pod, "eth0", addresses);
    });

    it("has the documented routes", () => {
      const routes = splitLines(execInNetns(pod.namespace, "ip", "-6", "route"));
      for (const expected of [
        "default via fd07::72 dev eth0",
        "fd07::71 dev veth0 src fd07::200:1",
        "fd33::/112 via fd07::71 dev veth0 src fd07::200:1",
        "fd33:64::/48 via fd07::71 dev veth0 src fd07::200:1",
      ])
        assert.ok(
          routes.some((route) => route.startsWith(expected)),
          `the pod lacks the route "${expected}"; it has:\n${routes.join("\n")}`,
        );
    });

    it("reaches its node and is reached by it", () => {
      assert.ok(pingAddress(pod.namespace, NODE6), "pod -> its node: no answer by veth0");
      assert.ok(pingAddress(node.name, "fd07::200:1"), "node -> its pod: no answer by the host route");
    });

    it("reaches the other node over the wire", () => {
      assert.ok(pingAddress(pod.namespace, OTHER6), "pod -> other node: no answer by eth0");
    });

    it("replies by veth0 to every client whose request arrived by veth0", () => {
      execInNetns(node.name, "ip", "address", "add", "2001:db8::1/128", "dev", "lo", "nodad");
      assert.ok(
        pingAddress(node.name, "fd07::200:1", "2001:db8::1"),
        "a reply to 2001:db8::1 left by eth0, expected veth0",
      );
      execInNetns(node.name, "ip", "address", "delete", "2001:db8::1/128", "dev", "lo");
    });

    it("is found in order by CHECK, and leaves nothing after DEL", () => {
      assert.deepEqual(net.call("interlay", "CHECK", node, pod, "eth0", {}), {});
      assert.deepEqual(net.call("interlay", "DEL", node, pod, "eth0", {}), {});
      assert.deepEqual(
        readPermanentState(node).filter((line) => !untouched.includes(line)),
        [],
      );
    });
  });

describe("a multi-NIC pod with both families", () => {
  const net = useTestNet();
  const node = net.useNode("n1", "10.7.168.71", {}, NODE6);
  const other = net.useNode("n2", "10.7.168.72", {}, OTHER6);
  const pod = net.usePod("m");
  let untouched: readonly string[];
  const overlay6 = "fd33:64::5";

  before(() => {
    net.overlay(node, pod, "10.233.64.5", overlay6);
    untouched = readPermanentState(node);
    for (const [ifname, host] of [
      ["net1", "2"],
      ["net2", "3"],
    ] as const) {
      net.attachAll(node, pod, ifname, [
        { address: `10.7.200.${host}/16`, gateway: "10.7.168.72" },
        { address: `fd07::200:${host}/64`, gateway: OTHER6 },
      ]);
    }
  });

  it("answers from each address by its own link", () => {
    const link = (from: string, to: string) =>
      / dev (\S+)/.exec(execInNetns(pod.namespace, "ip", "route", "get", to, "from", from))?.[1];
    assert.deepEqual(
      [overlay6, "fd07::200:2", "fd07::200:3"].map((from) => link(from, "fd07::200:9")),
      ["eth0", "net1", "net2"],
    );
    assert.deepEqual(
      ["10.233.64.5", "10.7.200.2", "10.7.200.3"].map((from) => link(from, "10.7.200.9")),
      ["eth0", "net1", "net2"],
    );
  });

  it("is reached by its node and by the other at every address", () => {
    for (const address of ["10.233.64.5", overlay6, "10.7.200.2", "fd07::200:2", "10.7.200.3", "fd07::200:3"])
      assert.ok(pingAddress(node.name, address), `node -> ${address}: no answer`);
    for (const address of ["10.7.200.2", "fd07::200:2", "10.7.200.3", "fd07::200:3"])
      assert.ok(pingAddress(other.name, address), `other node -> ${address}: no answer`);
  });

  it("should keep net1's state when net2 is deleted, and nothing after both", () => {
    net.call("interlay", "DEL", node, pod, "net2", {});
    assert.deepEqual(net.call("interlay", "CHECK", node, pod, "net1", {}), {});
    assert.ok(pingAddress(node.name, "fd07::200:2"), "node -> net1's address: no answer after net2's DEL");
    net.call("interlay", "DEL", node, pod, "net1", {});
    assert.deepEqual(
      readPermanentState(node).filter((line) => !untouched.includes(line)),
      [],
    );
    assert.deepEqual(splitLines(execInNetns(pod.namespace, "ip", "rule")).length, 3, "rules are left in the pod");
  });
});

describe("an IPv6 address without a gateway", () => {
  const net = useTestNet("test");
  it("should wait for duplicate address detection, and fail if another host has the address", () => {
    const node = net.node("n1", "10.7.168.71", {}, NODE6);
    const other = net.node("n2", "10.7.168.72", {}, OTHER6);
    execInNetns(other.name, "ip", "-6", "address", "add", "fd07::200:9/64", "dev", "eth0", "nodad");
    net.attachAll(node, net.pod("u"), "eth0", [{ address: "fd07::200:1/64" }]);
    assert.ok(pingAddress(node.name, "fd07::200:1"), "node -> its pod: no answer");
    const second = net.pod("v");
    const prevResult = net.macvlan(node, second, "eth0", [{ address: "fd07::200:9/64" }]);
    const taken = net.tryCall("interlay", "ADD", node, second, "eth0", { prevResult });
    assert.deepEqual([taken.status, taken.json["code"]], [1, 104], JSON.stringify(taken.json));
  });
});
