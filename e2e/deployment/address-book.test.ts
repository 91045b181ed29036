import assert from "node:assert/strict";
import { AddressBook } from "./address-book.ts";

const NODE = { ipv4: "10.7.0.2", ipv6: "fd00:10:7::2" };
const NO_OVERLAY = { tunnel: {}, bridge: {}, first: {} };

function createBook(overlay: object = {}) {
  return new AddressBook({
    nodes: [
      { name: "cp", role: "control-plane", address: "10.7.0.1" },
      { name: "w1", role: "worker", address: NODE.ipv4, address6: NODE.ipv6 },
    ],
    workers: ["w1"],
    pods: new Map([
      ["overlay-1-a", { name: "overlay-1-a", node: "w1", addresses: { main: { ipv4: "10.233.64.5" }, net1: {} } }],
      ["node-1", { name: "node-1", node: "w1", addresses: { main: NODE, net1: {} } }],
    ]),
    services: new Map([
      [
        "web",
        {
          clusterIPs: { ipv4: "10.233.0.9" },
          nodePorts: { tcp: 30001, udp: 30002 },
          vips: { "load-balancer": { ipv4: "10.7.250.1" }, "external-ip": {} },
        },
      ],
    ]),
    external: { ipv4: "10.7.0.9" },
    externalTarget: { text: "example.org:443", host: "example.org", port: 443 },
    apiServer: "10.233.0.1",
    overlay: new Map([["w1", { ...NO_OVERLAY, ...overlay }]]),
    hostPort: 18080,
    defaultFamily: "ipv4",
  });
}

describe("an address book", () => {
  const cell = { protocol: "udp", port: 8080, family: "ipv4" } as const;
  const locate = (to: Parameters<AddressBook["locate"]>[0]["to"]) => createBook().locate({ ...cell, to });

  it("locates each kind of target", () => {
    assert.deepEqual(locate({ kind: "pod", pod: "overlay-1-a", nic: "main" }), { address: "10.233.64.5", port: 8080 });
    assert.deepEqual(locate({ kind: "pod", pod: "node-1", nic: "main" }), { address: "10.7.0.2", port: 18080 });
    assert.deepEqual(locate({ kind: "external" }), { address: "10.7.0.9", port: 8080 });
    assert.deepEqual(locate({ kind: "external-target" }), { address: "example.org", port: 443 });
    assert.deepEqual(locate({ kind: "api-server" }), { address: "10.233.0.1", port: 443 });
    assert.deepEqual(locate({ kind: "service", service: "web" }), { address: "10.233.0.9", port: 8080 });
    assert.deepEqual(locate({ kind: "node-port", service: "web", node: 0 }), { address: "10.7.0.2", port: 30002 });
  });

  it("names what does not exist", () => {
    assert.throws(() => locate({ kind: "service", service: "gone" }), /the Service gone \(ipv4\) does not exist/);
    assert.throws(() => createBook().getAddress("overlay-1-a", "net1"), /overlay-1-a has no ipv4 address on net1/);
  });

  it("returns the source of masqueraded packets: the tunnel, the bridge, or any address that the kernel may choose", () => {
    const tunnel = { network: "tunnel", node: 0 } as const;
    const overlay = { network: "overlay", node: 0 } as const;
    assert.deepEqual(createBook().findSources(tunnel, "ipv4"), [NODE.ipv4]);
    assert.deepEqual(createBook({ tunnel: { ipv4: "10.233.64.1" } }).findSources(tunnel, "ipv4"), ["10.233.64.1"]);
    assert.deepEqual(createBook({ bridge: { ipv4: "10.233.64.2" } }).findSources(overlay, "ipv4"), ["10.233.64.2"]);
    assert.deepEqual(createBook({ tunnel: { ipv6: "fd00::1" } }).findSources(overlay, "ipv6"), ["fd00::1"]);
    const first = { ipv4: "192.168.0.2" };
    assert.deepEqual(createBook({ first }).findSources(overlay, "ipv4"), [NODE.ipv4, "192.168.0.2"]);
  });

  it("does not know the source of a node on which no program can run", () => {
    assert.equal(createBook().findSources({ network: "tunnel", node: "control-plane" }, "ipv4"), undefined);
  });
});
