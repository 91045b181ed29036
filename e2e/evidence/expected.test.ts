import assert from "node:assert/strict";
import { listMatrixCells } from "../cells/matrix-cells.ts";
import { expectedPath } from "./expected.ts";
import { formatHop } from "./path.ts";

const all = listMatrixCells(2, ["ipv4"], {
  dns: true,
  vips: true,
  hostPorts: true,
  sourceGuard: true,
  forwardDrop: true,
});

function computePath(id: string) {
  const cell = all.find((one) => one.id === id);
  assert.ok(cell, `no cell ${id}`);
  const path = expectedPath(cell);
  return path && { request: path.request.map(formatHop), reply: path.reply.map(formatHop) };
}

describe("the documented paths", () => {
  it("underlay to overlay on another node: there by VXLAN, back over the wire and past its own node's forwarding", () => {
    assert.deepEqual(computePath("matrix/underlay-1-a/overlay-2-b/other-node/tcp"), {
      request: [
        "underlay-1-a veth0 out",
        "node-1 veth in",
        "node-1 vxlan out",
        "node-1 wire (vxlan) out",
        "node-2 wire (vxlan) in",
        "node-2 vxlan in",
        "node-2 cali out",
        "overlay-2-b eth0 in",
      ],
      reply: ["overlay-2-b eth0 out", "node-2 cali in", "node-2 wire out", "node-1 wire in", "underlay-1-a eth0 in"],
    });
  });

  it("underlay to underlay: macvlan to macvlan, no node forwards", () => {
    assert.deepEqual(computePath("matrix/underlay-1-a/underlay-2-b/other-node/udp")?.request, [
      "underlay-1-a eth0 out",
      "node-1 wire out",
      "node-2 wire in",
      "underlay-2-b eth0 in",
    ]);
    assert.deepEqual(computePath("matrix/underlay-1-a/underlay-1-b/same-node/udp"), {
      request: ["underlay-1-a eth0 out", "node-1 wire in", "underlay-1-b eth0 in"],
      reply: ["underlay-1-b eth0 out", "node-1 wire in", "underlay-1-a eth0 in"],
    });
  });

  it("overlay to underlay: its node, the wire, the macvlan link; back on the same path", () => {
    const path = computePath("matrix/overlay-1-a/underlay-2-b/other-node/tcp");
    assert.deepEqual(path?.request, [
      "overlay-1-a eth0 out",
      "node-1 cali in",
      "node-1 wire out",
      "node-2 wire in",
      "underlay-2-b eth0 in",
    ]);
    assert.equal(path.reply.at(-1), "overlay-1-a eth0 in");
  });

  it("multi-NIC pods ask the underlay by net1 and the overlay by eth0", () => {
    const first = (id: string) => computePath(id)?.request[0];
    assert.equal(first("matrix/multi-nic-1-a/underlay-2-b/other-node/tcp"), "multi-nic-1-a net1 out");
    assert.equal(first("matrix/multi-nic-1-a/overlay-2-b/other-node/tcp"), "multi-nic-1-a eth0 out");
  });

  it("underlay to overlay with snat: the reply goes back through the underlay pod's node", () => {
    const cell = all.find(({ id }) => id === "matrix/underlay-1-a/overlay-2-b/other-node/tcp");
    assert.ok(cell);
    const reply = expectedPath(cell, "snat")?.reply.map(formatHop);
    assert.deepEqual(reply?.slice(-2), ["node-1 veth out", "underlay-1-a veth0 in"]);
  });

  it("pod to its own node: by the pair, never by macvlan; to another one over the wire", () => {
    assert.deepEqual(computePath("pod-to-node/multi-nic-1-a/node-1/same-node/tcp")?.request, [
      "multi-nic-1-a eth0 out",
      "node-1 cali in",
    ]);
    assert.deepEqual(computePath("pod-to-node/underlay-1-a/node-2/other-node/tcp")?.request, [
      "underlay-1-a eth0 out",
      "node-1 wire out",
      "node-2 wire in",
    ]);
  });

  it("pod to another node's NodePort: to that node, which forwards to the endpoint, back through it", () => {
    const path = computePath("pod-to-node-port-cluster/overlay-2-a/node-port:underlay-cluster@node-1/other-node/tcp");
    assert.deepEqual(path?.request, [
      "overlay-2-a eth0 out",
      "node-2 cali in",
      "node-2 wire out",
      "node-1 wire in",
      "node-1 veth out",
      "underlay-1-b veth0 in",
    ]);
    assert.equal(path.reply.at(-2), "node-2 cali out");
  });

  it("the documented paths are known for every cell but the API server's, and each ends where its reply begins", () => {
    for (const cell of all) {
      const path = expectedPath(cell);
      assert.equal(path === undefined, cell.group === "api-server" || cell.group === "attack", cell.id);
      if (path === undefined || cell.to.kind === "external") continue;
      assert.equal(path.request.at(-1)?.place, path.reply[0]?.place, cell.id);
    }
  });
});
