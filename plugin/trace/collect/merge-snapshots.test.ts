import assert from "node:assert/strict";
import type { NamespaceSnapshot, TraceSnapshot } from "../snapshot.ts";
import { makeNamespace } from "../../testing/make-namespace.ts";
import { mergeSnapshots } from "./merge-snapshots.ts";

const withAddress = (kind: NamespaceSnapshot["kind"], name: string, address: string): NamespaceSnapshot =>
  makeNamespace({
    id: name,
    kind,
    name,
    addresses: [{ family: "ipv4", address, prefixLength: 32, link: "eth0", scope: "global", flags: [] }],
  });
const makeSnapshot = (...namespaces: NamespaceSnapshot[]): TraceSnapshot => ({
  version: 1,
  takenAt: "2026-01-01T00:00:00Z",
  namespaces,
});

describe("merged snapshots", () => {
  it("merged snapshots name pods by their addresses, and nothing else", () => {
    const merged = mergeSnapshots(
      [
        makeSnapshot(withAddress("node", "n1", "10.7.0.1"), withAddress("pod", "cni-1", "10.233.64.1")),
        makeSnapshot(withAddress("node", "n2", "10.7.0.2"), withAddress("pod", "cni-2", "10.233.65.1")),
      ],
      [
        { name: "default/web", addresses: ["fd00::1", "10.233.65.1"] },
        { name: "kube-system/proxy", addresses: ["10.7.0.1"] },
      ],
    );
    assert.deepEqual(
      merged.namespaces.map(({ name }) => name),
      ["n1", "cni-1", "n2", "default/web"],
    );
  });

  it("no snapshot is an error", () => {
    assert.throws(() => mergeSnapshots([], []), /no node was read/);
  });
});
