import assert from "node:assert/strict";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { readPermanentState } from "../../testing/node.ts";
import { splitLines } from "../../testing/restorable-state.ts";
import { execInNetns, pingAddress } from "../../testing/exec.ts";
import { useTestNet } from "../../testing/use-test-net.ts";

describe("an underlay pod", () => {
  const net = useTestNet();
  const node = net.useNode("n1", "10.7.168.71");
  const other = net.useNode("n2", "10.7.168.72");
  const pod = net.usePod("u");
  let initial: readonly string[];

  before(() => {
    initial = readPermanentState(node);
    net.attach(node, pod, "eth0", "10.7.200.1/16", "10.7.168.72");
  });

  it("has the documented routes", () => {
    const routes = splitLines(execInNetns(pod.namespace, "ip", "route"));
    for (const expected of [
      "default via 10.7.168.72 dev eth0",
      "10.7.168.71 dev veth0 scope link src 10.7.200.1",
      "10.233.0.0/18 via 10.7.168.71 dev veth0 src 10.7.200.1",
      "10.233.64.0/18 via 10.7.168.71 dev veth0 src 10.7.200.1",
    ])
      assert.ok(routes.includes(expected), `the pod lacks the route "${expected}"; it has:\n${routes.join("\n")}`);
  });

  it("pins its node's MAC, and the node its own", () => {
    const pinned = execInNetns(pod.namespace, "ip", "neighbour", "show", "dev", "veth0");
    assert.match(pinned, /10\.7\.168\.71 lladdr 02:[0-9a-f:]+ PERMANENT/);
    const onNode = execInNetns(node.name, "ip", "neighbour", "show", "nud", "permanent");
    assert.match(onNode, /10\.7\.200\.1 dev vethil[0-9a-f]{9} lladdr 02:[0-9a-f:]+ PERMANENT/);
  });

  it("reaches its node and is reached by it, though macvlan alone has no way", () => {
    assert.ok(pingAddress(pod.namespace, node.address), "pod -> its node: no answer by veth0");
    assert.ok(pingAddress(node.name, "10.7.200.1"), "node -> its pod: no answer by the host route");
  });

  it("reaches the other node over the wire", () => {
    assert.ok(pingAddress(pod.namespace, other.address), "pod -> other node: no answer by eth0");
  });

  it("replies by veth0 to every client whose request arrived by veth0", () => {
    // A client that the pod would answer over the wire: the node forwards it with its source kept, as NodePort Local does.
    execInNetns(node.name, "ip", "address", "add", "192.0.2.1/32", "dev", "lo");
    assert.ok(pingAddress(node.name, "10.7.200.1", "192.0.2.1"), "a reply to 192.0.2.1 left by eth0, expected veth0");
  });

  it("should pass CHECK, and CHECK should name a missing item", () => {
    const check = () => net.tryCall("interlay", "CHECK", node, pod, "eth0", {});
    assert.equal(check().status, 0, JSON.stringify(check().json));
    execInNetns(pod.namespace, "ip", "route", "delete", "10.233.0.0/18");
    const drift = check();
    assert.equal(drift.json["code"], 102);
    assert.match(
      String(drift.json["msg"]),
      /lacks 1 of \d+ plan items: pod: route 10\.233\.0\.0\/18 via 10\.7\.168\.71 dev veth0/,
    );
  });

  it("should be unchanged or repaired by a second ADD", () => {
    const link = () => execInNetns(pod.namespace, "ip", "-o", "link", "show", "veth0").split(":")[0];
    const index = link();
    net.call("interlay", "ADD", node, pod, "eth0", {
      prevResult: {
        cniVersion: "1.0.0",
        interfaces: [{ name: "eth0", sandbox: pod.netns }],
        ips: [{ address: "10.7.200.1/16", gateway: "10.7.168.72", interface: 0 }],
      },
    });
    assert.equal(link(), index, "veth0 was recreated");
    net.call("interlay", "CHECK", node, pod, "eth0", {});
  });

  it("should report its pair after the previous interfaces", () => {
    const interfaces = net.tryCall("interlay", "ADD", node, pod, "eth0", {
      prevResult: {
        cniVersion: "1.0.0",
        interfaces: [{ name: "eth0", sandbox: pod.netns }],
        ips: [{ address: "10.7.200.1/16", interface: 0 }],
      },
    }).json["interfaces"] as { name: string; sandbox?: string }[];
    assert.deepEqual(
      interfaces.map((i) => i.name.replace(/^vethil.*/, "vethil")),
      ["eth0", "vethil", "veth0"],
    );
    assert.equal(interfaces[2]?.sandbox, pod.netns);
  });

  it("should leave nothing on the node after DEL, even if repeated and without a namespace", () => {
    net.call("interlay", "DEL", node, pod, "eth0", {});
    net.call("interlay", "DEL", node, pod, "eth0", {});
    execInNetns(node.name, "ip", "address", "delete", "192.0.2.1/32", "dev", "lo");
    const left = readPermanentState(node).filter((line) => !initial.includes(line));
    assert.deepEqual(left, [], "DEL left this on the node");
    assert.deepEqual(readdirSync(join(node.stateDirectory, "attachments")), []);
  });
});

describe("a multi-NIC pod", () => {
  const net = useTestNet();
  const node = net.useNode("n1", "10.7.168.71");
  const other = net.useNode("n2", "10.7.168.72");
  const pod = net.usePod("m");
  const overlay = "10.233.64.5";

  before(() => {
    net.overlay(node, pod, overlay);
    net.attach(node, pod, "net1", "10.7.200.2/16", "10.7.168.72");
  });

  it("has the documented routes", () => {
    const routes = splitLines(execInNetns(pod.namespace, "ip", "route"));
    for (const expected of [
      `10.7.168.71 dev eth0 scope link src ${overlay}`,
      `10.233.0.0/18 via 10.7.168.71 dev eth0 src ${overlay}`,
      `10.233.64.0/18 via 10.7.168.71 dev eth0 src ${overlay}`,
    ])
      assert.ok(routes.includes(expected), `the pod lacks the route "${expected}"; it has:\n${routes.join("\n")}`);
  });

  it("answers from each address by its own link", () => {
    const route = (from: string) => execInNetns(pod.namespace, "ip", "route", "get", "10.7.200.9", "from", from);
    assert.match(
      route(overlay),
      /dev eth0/,
      "a reply from the overlay address to an underlay pod leaves by net1, expected eth0",
    );
    assert.match(route("10.7.200.2"), /dev net1/, "a reply from net1's address leaves by another link");
  });

  it("is reached by its node at both addresses", () => {
    assert.ok(pingAddress(node.name, overlay), "node -> overlay address: no answer");
    assert.ok(pingAddress(node.name, "10.7.200.2"), "node -> net1's address: no answer by the host route to cali…");
  });

  it("is reached over the wire at net1's address", () => {
    assert.ok(pingAddress(other.name, "10.7.200.2"), "other node -> net1's address: no answer");
  });

  it("should lose only net1's state on DEL", () => {
    net.call("interlay", "DEL", node, pod, "net1", {});
    assert.ok(
      !execInNetns(node.name, "ip", "route").includes("10.7.200.2"),
      "the host route to net1's address is still there",
    );
    assert.ok(execInNetns(node.name, "ip", "route").includes(overlay), "the overlay's own route went too");
  });
});

describe("a plugin call that cannot be served", () => {
  const net = useTestNet();
  const node = net.useNode("n1", "10.7.168.71");
  const pod = net.usePod("x");

  const previous = (address: string) => ({
    prevResult: { cniVersion: "1.0.0", interfaces: [{ name: "eth0" }], ips: [{ address, interface: 0 }] },
  });

  it("should undo its changes if the pod differs from the previous result", () => {
    const before = readPermanentState(node);
    const result = net.tryCall("interlay", "ADD", node, pod, "eth0", previous("10.7.200.3/16"));
    assert.equal(result.json["code"], 103);
    assert.match(String(result.json["msg"]), /the pod has no link eth0/);
    assert.deepEqual(readPermanentState(node), before);
  });

  it("should undo all steps before the one that the kernel rejects", () => {
    // eth0 is there, but without the address that the routes name as their source: the kernel refuses the first of them
    execInNetns(pod.namespace, "ip", "link", "add", "name", "eth0", "type", "bridge");
    execInNetns(pod.namespace, "ip", "link", "set", "eth0", "up");
    const before = readPermanentState(node);
    const result = net.tryCall("interlay", "ADD", node, pod, "eth0", previous("10.7.200.3/16"));
    assert.equal(result.json["code"], 101, JSON.stringify(result.json));
    assert.match(String(result.json["msg"]), /pod test\/.*: EINVAL/);
    assert.deepEqual(readPermanentState(node), before, "the node is not as before");
    assert.ok(!execInNetns(pod.namespace, "ip", "link").includes("veth0"), "veth0 is still in the pod");
    assert.ok(
      !existsSync(join(node.stateDirectory, "attachments")) ||
        readdirSync(join(node.stateDirectory, "attachments")).length === 0,
    );
  });

  it("should reject invalid input with the specification's codes and change nothing", () => {
    const before = readPermanentState(node);
    assert.equal(net.tryCall("interlay", "ADD", node, pod, "a/b", previous("10.7.200.3/16")).json["code"], 4);
    assert.equal(net.tryCall("interlay", "ADD", node, pod, "eth0", {}).json["code"], 7);
    assert.equal(net.tryCall("interlay", "ADD", node, pod, "eth0", { cniVersion: "9.9.9" }).json["code"], 1);
    assert.equal(net.tryCall("interlay", "ADD", node, pod, "eth0", previous("10.7.200.300/16")).json["code"], 7);
    assert.deepEqual(readPermanentState(node), before);
  });
});
