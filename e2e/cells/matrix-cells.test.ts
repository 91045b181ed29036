import assert from "node:assert/strict";
import { listMatrixCells } from "./matrix-cells.ts";
import { type Cell, GROUPS } from "./cell.ts";
import { NO_FEATURES } from "./features.ts";

const count = (list: readonly Cell[], group: Cell["group"]) => list.filter((cell) => cell.group === group).length;

describe("the cells", () => {
  const two = listMatrixCells(2);

  it("the cells have names of their own, none twice", () => {
    assert.equal(new Set(two.map((cell) => cell.id)).size, two.length);
  });

  it("come again over IPv6, but for the API server's Service", () => {
    const both = listMatrixCells(2, ["ipv4", "ipv6"]);
    assert.equal(new Set(both.map((cell) => cell.id)).size, both.length);
    assert.equal(both.length, 2 * two.length - count(two, "api-server"));
    assert.deepEqual(both.slice(0, two.length), two);
  });

  it("cover each type with each target, on the same node and on another", () => {
    // Per source pod: 4 addresses × 3 protocols and 3 Services × 2, each on two nodes; 3 types on 2 nodes.
    assert.equal(count(two, "matrix"), 3 * 2 * 2 * (4 * 3 + 3 * 2));
    assert.equal(count(two, "node-to-pod"), 2 * 2 * 4 * 3);
    assert.equal(count(two, "pod-to-node"), 3 * 2 * 2 * 3);
    assert.equal(count(two, "own-service"), 3 * 2 * 2);
    assert.equal(count(two, "api-server"), 6);
    assert.equal(count(two, "north-south"), 2 * 2 * 2 * 3);
    assert.equal(count(two, "node-port-cluster"), 3 * 3 * 2);
    assert.equal(count(two, "node-port-local"), 2 * 3 * 2);
    // Per source pod: 3 target types × 2 protocols, by its own node and by another.
    assert.equal(count(two, "pod-to-node-port-cluster"), 3 * 2 * 2 * 3 * 2);
    assert.equal(count(two, "pod-to-node-port-local"), 3 * 2 * 2 * 3 * 2);
    assert.equal(count(two, "large-payload"), 3 * 2 * 2 * 4 * 2);
  });

  it("the cells are at least 450 in one family on two workers", () => {
    assert.ok(two.length >= 450, `${two.length}`);
  });

  it("of optional groups exist if the cluster has the features they need", () => {
    const all = {
      dns: true,
      vips: true,
      hostPorts: true,
      sourceGuard: true,
      forwardDrop: true,
      externalTarget: "tcp",
    } as const;
    const more = listMatrixCells(2, ["ipv4"], all);
    assert.equal(new Set(more.map((cell) => cell.id)).size, more.length);
    assert.deepEqual(new Set(more.map((cell) => cell.group)), new Set(GROUPS));
    assert.equal(count(more, "dns"), 3 * 2 * 2 * 3 * 2);
    assert.equal(count(more, "vip"), 3 * 2 * 2 * 3 * 2 * 2);
    assert.equal(count(more, "host-port"), 3 * 2 * 2 * 3 * 2);
    assert.equal(count(more, "attack"), 2 * (2 * 2 + 1));
    assert.equal(count(more, "external-target"), 3 * 2);
    assert.equal(count(listMatrixCells(2, ["ipv4", "ipv6"], all), "external-target"), 3 * 2);
  });

  it("of one worker have no target on another node", () => {
    const one = listMatrixCells(1, ["ipv4"], { ...NO_FEATURES, externalTarget: "icmp" });
    const names = one.map(({ id }) => id).filter((id) => /-2\b/.test(id));
    assert.deepEqual(names, []);
    assert.deepEqual(new Set(one.map(({ placement }) => placement)), new Set(["same-node", "other-node", "outside"]));
    assert.ok(one.every(({ placement, group }) => placement !== "other-node" || group === "api-server"));
  });

  it("probe the overlay address and the underlay address of multi-NIC pods", () => {
    const selected = two.filter((cell) => cell.id.startsWith("matrix/underlay-1-a/multi-nic-2-b"));
    assert.deepEqual(
      selected.filter((cell) => cell.protocol === "tcp").map((cell) => [cell.id, cell.toOverlayAddress]),
      [
        ["matrix/underlay-1-a/multi-nic-2-b/other-node/tcp", true],
        ["matrix/underlay-1-a/multi-nic-2-b:net1/other-node/tcp", false],
      ],
    );
  });

  it("with one worker have no other node", () => {
    assert.equal(
      listMatrixCells(1).some((cell) => cell.group === "matrix" && cell.placement === "other-node"),
      false,
    );
  });

  it("expect each node's own pod behind a NodePort with policy Local", () => {
    const local = two.filter((cell) => cell.id.startsWith("node-port-local/external/node-port:underlay-local@node-2"));
    assert.deepEqual(
      local.map((cell) => cell.server),
      ["underlay-2-b", "underlay-2-b"],
    );
  });
});
