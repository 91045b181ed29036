import assert from "node:assert/strict";
import { listMatrixCells } from "../cells/matrix-cells.ts";
import { DOCUMENTED } from "./documented.ts";
import { buildExpectedPath } from "./expected.ts";
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
  const path = buildExpectedPath(cell);
  return path && { request: path.request.map(formatHop), reply: path.reply.map(formatHop) };
}

describe("the expected path of a cell", () => {
  for (const { title, id, request, reply } of DOCUMENTED)
    it(title, () => {
      assert.deepEqual(computePath(id), { request, reply });
    });

  it("sends underlay -> underlay pod of the same node by the parent link of both", () => {
    assert.deepEqual(computePath("matrix/underlay-1-a/underlay-1-b/same-node/udp"), {
      request: ["underlay-1-a eth0 out", "node-1 wire in", "underlay-1-b eth0 in"],
      reply: ["underlay-1-b eth0 out", "node-1 wire in", "underlay-1-a eth0 in"],
    });
  });

  it("returns replies through the underlay pod's node with return path snat", () => {
    const cell = all.find(({ id }) => id === "matrix/underlay-1-a/overlay-2-b/other-node/tcp");
    assert.ok(cell);
    const reply = buildExpectedPath(cell, "snat")?.reply.map(formatHop);
    assert.deepEqual(reply?.slice(-2), ["node-1 veth out", "underlay-1-a veth0 in"]);
  });

  it("sends pod -> node by the pair to its own node, and over the wire to another node", () => {
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

  it("sends pod -> NodePort of another node through that node, and the reply too", () => {
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

  it("exists for every cell but those of the API server and attacks, and ends where its reply begins", () => {
    for (const cell of all) {
      const path = buildExpectedPath(cell);
      assert.equal(path === undefined, cell.group === "api-server" || cell.group === "attack", cell.id);
      if (path === undefined || cell.to.kind === "external") continue;
      assert.equal(path.request.at(-1)?.place, path.reply[0]?.place, cell.id);
    }
  });
});
