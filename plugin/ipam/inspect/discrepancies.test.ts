import assert from "node:assert/strict";
import { podObject, underlayAddress, underlayPool } from "../../kubernetes/objects.ts";
import { type Discrepancy, findDiscrepancies } from "./discrepancies.ts";
import type { ClusterAddresses } from "./observe-cluster-addresses.ts";
import { findReleasable } from "./release.ts";
import { renderAddresses, renderDiscrepancies } from "./render-addresses.ts";
import { NODE_ADDRESSES_SCHEMA, type NodeAddressSnapshot } from "./node-addresses-snapshot.ts";

const ADDRESS = "10.7.200.1";
const POD = { namespace: "shop", name: "db", uid: "u1" };
const object = (change: object = {}, name = ADDRESS) =>
  underlayAddress.parse({
    metadata: { name, creationTimestamp: "2026-01-01T00:00:00Z" },
    spec: { address: name, pool: "p", node: "n1", containerId: "c1", ifname: "eth0", pod: POD, ...change },
  });
const CLUSTER: ClusterAddresses = {
  addresses: [object()],
  pools: [
    underlayPool.parse({ metadata: { name: "p" }, spec: { subnet: "10.7.0.0/16", ranges: ["10.7.200.1-10.7.200.9"] } }),
  ],
  pods: [podObject.parse({ metadata: { ...POD }, spec: { nodeName: "n1" } })],
  invalid: [],
};
const NIC = { address: ADDRESS, containerId: "c1", ifname: "eth0" };
const NODE: NodeAddressSnapshot = {
  schema: NODE_ADDRESSES_SCHEMA,
  node: "n1",
  records: [{ ...NIC, name: ADDRESS, pod: POD, released: false, alive: true }],
  kernel: [{ ...NIC, pod: "shop/db", netns: "/var/run/netns/a" }],
};
const cluster = (change: Partial<ClusterAddresses>): ClusterAddresses => ({ ...CLUSTER, ...change });
const nodeWith = (change: Partial<NodeAddressSnapshot>): NodeAddressSnapshot => ({ ...NODE, ...change });

describe("discrepancies of objects, records and links", () => {
  const cases: readonly (readonly [string, ClusterAddresses, NodeAddressSnapshot, readonly Discrepancy["what"][]])[] = [
    ["agree", CLUSTER, NODE, []],
    [
      "agree about a StatefulSet's address that waits",
      cluster({
        pods: [],
        addresses: [object({ containerId: "", owner: { kind: "StatefulSet", name: "db", uid: "s" } })],
      }),
      nodeWith({ records: [], kernel: [] }),
      [],
    ],
    [
      "agree about a reserve",
      cluster({ addresses: [object({ reserve: true, containerId: "", pod: { namespace: "", name: "", uid: "" } })] }),
      nodeWith({ records: [], kernel: [] }),
      [],
    ],
    [
      "report an object that the schema rejects",
      cluster({ invalid: ["underlayaddresses 10.7.200.2: spec.address: neither an IPv4 nor an IPv6 address"] }),
      NODE,
      ["invalid-object"],
    ],
    ["report a pod that was deleted", cluster({ pods: [] }), nodeWith({ records: [], kernel: [] }), ["pod-gone"]],
    [
      "report a marked address",
      cluster({ addresses: [object({ conflict: "02:00:00:00:00:01", containerId: "" })] }),
      nodeWith({ records: [], kernel: [] }),
      ["conflict"],
    ],
    ["report a container whose object was deleted", cluster({ addresses: [] }), NODE, ["no-object"]],
    [
      "report a container whose address another pod has",
      cluster({
        addresses: [object({ node: "n2", pod: { ...POD, name: "web", uid: "u2" } })],
        pods: [podObject.parse({ metadata: { namespace: "shop", name: "web", uid: "u2" }, spec: {} })],
      }),
      NODE,
      ["two-holders"],
    ],
    ["report a link without the address", CLUSTER, nodeWith({ kernel: [] }), ["not-on-link"]],
    [
      "report two links with one address",
      CLUSTER,
      nodeWith({
        kernel: [...NODE.kernel, { ...NIC, containerId: "c2", pod: "shop/other", netns: "/var/run/netns/b" }],
      }),
      ["twice"],
    ],
    [
      "report two addresses of one NIC",
      cluster({ addresses: [object(), object({}, "10.7.200.2")] }),
      NODE,
      ["two-of-one"],
    ],
    [
      "report an address that its pool no longer has",
      cluster({ addresses: [object(), object({ ifname: "net1" }, "10.7.201.1")] }),
      NODE,
      ["pool-gives-nothing"],
    ],
  ];
  for (const [what, objects, node, expected] of cases)
    it(what, () => {
      assert.deepEqual(
        findDiscrepancies(objects, [node]).map((one) => one.what),
        expected,
      );
    });

  it("should offer the release of addresses that their node no longer has", () => {
    const withoutPods = cluster({ pods: [] });
    const releases = (nodes: readonly NodeAddressSnapshot[]): number =>
      findDiscrepancies(withoutPods, nodes).flatMap(({ release }) => release ?? []).length;
    assert.equal(releases([nodeWith({ records: [], kernel: [] })]), 1);
    assert.equal(releases([NODE]), 0, "the link has it");
    assert.equal(releases([]), 0, "nobody has asked its node");
  });

  it("should be rendered as sentences", () => {
    assert.equal(renderDiscrepancies([], 2), "Objects, records and links agree (2 nodes checked).\n");
    assert.match(
      renderDiscrepancies(findDiscrepancies(cluster({ addresses: [] }), [NODE]), 1),
      /^error \[no-object\] 10\.7\.200\.1 is on eth0 of pod shop\/db on n1 without an UnderlayAddress.*\n {2}The agent/,
    );
  });
});

describe("interlay ipam", () => {
  it("should show one line per address, sorted by address", () => {
    const shown = renderAddresses(
      [
        object({}, "10.7.200.10"),
        object({ conflict: "02:00:00:00:00:01" }, "10.7.200.9"),
        object({ reserve: true }, "10.7.200.2"),
      ],
      Date.parse("2026-01-01T00:01:30Z"),
    );
    assert.deepEqual(
      shown.split("\n").map((line) => line.split(/ {2,}/)),
      [
        ["ADDRESS", "POOL", "NODE", "POD", "OWNER", "NIC", "STATE", "AGE"],
        ["10.7.200.2", "p", "n1", "shop/db", "-", "eth0", "reserve", "90s"],
        ["10.7.200.9", "p", "n1", "shop/db", "-", "eth0", "conflict (02:00:00:00:00:01)", "90s"],
        ["10.7.200.10", "p", "n1", "shop/db", "-", "eth0", "in use", "90s"],
        [""],
      ],
    );
  });

  it("releases unused addresses, and those of an existing pod only with --force", () => {
    assert.throws(() => findReleasable(CLUSTER, [ADDRESS], false), /is held by pod shop\/db on node n1, which exists/);
    assert.throws(() => findReleasable(CLUSTER, ["10.7.200.2"], false), /10\.7\.200\.2 is not allocated/);
    assert.equal(findReleasable(CLUSTER, [ADDRESS], true).length, 1);
    assert.equal(findReleasable(cluster({ pods: [] }), [ADDRESS], false).length, 1);
    assert.equal(
      findReleasable(cluster({ addresses: [object({ conflict: "02:00:00:00:00:01" })] }), [ADDRESS], false).length,
      1,
    );
  });
});
