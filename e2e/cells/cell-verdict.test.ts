import assert from "node:assert/strict";
import { listMatrixCells } from "./matrix-cells.ts";
import { decideKubeProxyVerdict, type Variant } from "./gate.ts";
import { findExpectation, decideVerdict } from "./cell-verdict.ts";

const variant = (environment: string, returnPath: Variant["returnPath"] = "notrack"): Variant => ({
  kubeProxy: { version: "v1.29.15", mode: "iptables" },
  returnPath,
  environment,
});

describe("what a cell must do in an environment", () => {
  const all = listMatrixCells(2);

  it("is the gate's verdict in the suite's own cluster", () => {
    for (const returnPath of ["notrack", "none"] as const)
      for (const cell of all)
        if (cell.group !== "pod-to-node-port-local")
          assert.deepEqual(
            decideVerdict(variant("default", returnPath), cell),
            decideKubeProxyVerdict(variant("default", returnPath), cell),
          );
  });

  it("is blocked for Services, NodePorts and the API server's Service without kube-proxy, and pass for pods", () => {
    const blocked = all.filter((cell) => decideVerdict(variant("no-kube-proxy", "none"), cell).expected === "blocked");
    assert.ok(blocked.length > 0);
    assert.ok(blocked.every(({ to }) => to.kind !== "pod" && to.kind !== "external"));
    assert.equal(blocked.length, all.filter(({ to }) => to.kind !== "pod" && to.kind !== "external").length);
    assert.equal(findExpectation(variant("no-kube-proxy", "none")).invalidDropRule, false);
  });

  it("is blocked for asymmetric cells where a FORWARD rule drops INVALID packets and nothing exempts them", () => {
    const count = (returnPath: Variant["returnPath"]) =>
      all.filter(
        (cell) =>
          cell.group === "matrix" &&
          decideVerdict(variant("forward-invalid-drop", returnPath), cell).expected === "blocked",
      ).length;
    assert.deepEqual([count("liberal"), count("none"), count("notrack")], [4, 4, 0]);
  });
});

const everything = listMatrixCells(2, ["ipv4"], {
  dns: true,
  vips: true,
  hostPorts: true,
  sourceGuard: true,
  forwardDrop: true,
});
const find = (id: string) => {
  const cell = everything.find((one) => one.id === id);
  assert.ok(cell, `no cell ${id}`);
  return cell;
};

describe("a cell that cannot or must not pass", () => {
  const noLocalEndpoint = (pod: string, type = "overlay") =>
    `pod-to-node-port-local/${pod}/node-port:${type}-local-first@node-2/${pod.includes("-2-") ? "same" : "other"}-node/tcp`;
  const cases: readonly (readonly [string, string, string, string | undefined])[] = [
    ["an underlay pod, its own node without a local endpoint", noLocalEndpoint("underlay-2-a"), "default", "design"],
    ["an overlay pod there, which kube-proxy knows for a pod", noLocalEndpoint("overlay-2-a"), "default", undefined],
    ["a multi-NIC pod there, by its overlay address", noLocalEndpoint("multi-nic-2-a"), "default", undefined],
    ["an overlay pod of another node, masqueraded", noLocalEndpoint("overlay-1-a"), "default", "design"],
    ["an overlay pod of another node, not masqueraded", noLocalEndpoint("overlay-1-a"), "nat-outgoing-off", "design"],
    ["a multi-NIC pod of another node, by net1", noLocalEndpoint("multi-nic-1-a"), "nat-outgoing-off", "design"],
    ["an overlay pod where kube-proxy knows no pods", noLocalEndpoint("overlay-2-a"), "cluster-cidr-empty", "design"],
    [
      "an underlay pod where kube-proxy's clusterCIDR covers it",
      noLocalEndpoint("underlay-2-a"),
      "cluster-cidr-covers-underlay",
      undefined,
    ],
    [
      "an underlay pod of another node where kube-proxy's clusterCIDR covers it",
      noLocalEndpoint("underlay-1-a"),
      "cluster-cidr-covers-underlay",
      "environment",
    ],
    [
      "an underlay pod, its own node with a local endpoint",
      "pod-to-node-port-local/underlay-1-a/node-port:overlay-local-first@node-1/same-node/tcp",
      "default",
      undefined,
    ],
    ["an attack", "attack/underlay-1-a/overlay-2-b/as:overlay-1-a/other-node/udp", "default", "guard"],
  ];
  for (const [title, id, context, by] of cases)
    it(`${title}: ${by === undefined ? "pass" : `blocked by ${by}`}`, () => {
      const verdict = decideVerdict(variant(context), find(id));
      assert.equal(verdict.expected === "blocked" ? verdict.by : undefined, by);
    });
});
