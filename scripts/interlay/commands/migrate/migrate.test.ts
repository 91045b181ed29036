import assert from "node:assert/strict";
import type { MigrationPlan } from "./migration-plan.ts";
import { planSpiderpoolMigration } from "./spiderpool.ts";
import { planWhereaboutsMigration } from "./whereabouts.ts";

const PODS = new Map([
  ["shop/web-0", { uid: "u0", node: "a", owner: { kind: "StatefulSet", name: "web", uid: "s" } }],
  ["shop/web-1", { uid: "u1", node: "b" }],
]);
const select = (plan: MigrationPlan, kind: string) => plan.objects.filter((object) => object.kind === kind);
const specs = (plan: MigrationPlan, kind: string) => select(plan, kind).map(({ spec }) => spec);

describe("the migration from whereabouts", () => {
  const definition = (config: object) => ({
    items: [{ metadata: { name: "lan", namespace: "shop" }, spec: { config: JSON.stringify(config) } }],
  });
  const ipam = {
    type: "whereabouts",
    range: "10.7.0.0/16",
    range_start: "10.7.1.0",
    range_end: "10.7.1.9",
    gateway: "10.7.1.1",
  };
  const pools = {
    items: [
      {
        metadata: { name: "10.7.0.0-16" },
        spec: {
          range: "10.7.0.0/16",
          allocations: {
            "258": { id: "c0", podref: "shop/web-0", ifname: "net1" },
            "259": { id: "c9", podref: "shop/gone" },
          },
        },
      },
    ],
  };
  const plan = planWhereaboutsMigration(pools, definition({ type: "macvlan", master: "eth1", ipam }), PODS);

  it("converts a range with the limits of its network, and keeps the gateway out of it", () => {
    assert.deepEqual(specs(plan, "UnderlayPool"), [
      { subnet: "10.7.0.0/16", ranges: ["10.7.1.0-10.7.1.9"], excluded: ["10.7.1.1"], gateway: "10.7.1.1" },
    ]);
  });

  it("holds the address of a running pod, and frees that of a pod that is gone", () => {
    assert.deepEqual(specs(plan, "UnderlayAddress"), [
      {
        address: "10.7.1.2",
        pool: "whereabouts-10-7-0-0-16",
        node: "a",
        containerId: "c0",
        ifname: "net1",
        network: "",
        pod: { namespace: "shop", name: "web-0", uid: "u0" },
        owner: { kind: "StatefulSet", name: "web", uid: "s" },
      },
    ]);
    assert.equal(select(plan, "UnderlayAddress")[0]?.metadata.labels?.["interlay.dev/node"], "a");
    assert.match(plan.notes.join("\n"), /10\.7\.1\.3: its pod shop\/gone does not exist/);
  });

  it("gives a macvlan network another name, because the agent writes a definition of that name", () => {
    const [network] = select(plan, "UnderlayNetwork");
    assert.equal(network?.metadata.name, "lan-interlay");
    assert.deepEqual(network.spec, { uplink: "eth1", pools: ["whereabouts-10-7-0-0-16"] });
  });

  it("reads a list of plugins, and names a network of another type", () => {
    const other = planWhereaboutsMigration(pools, definition({ plugins: [{ type: "ipvlan", ipam }] }), PODS);
    assert.deepEqual(select(other, "UnderlayNetwork"), []);
    assert.match(other.notes.join("\n"), /shop\/lan is of type ipvlan/);
  });

  it("converts a range that has its limits in its text, and those of ipRanges", () => {
    const ranges = { type: "whereabouts", ipRanges: [{ range: "10.7.1.0-10.7.1.9/16", exclude: ["10.7.1.4/31"] }] };
    const other = planWhereaboutsMigration(pools, definition({ type: "macvlan", ipam: ranges }), PODS);
    assert.deepEqual(specs(other, "UnderlayPool"), [
      { subnet: "10.7.0.0/16", ranges: ["10.7.1.0-10.7.1.9"], excluded: ["10.7.1.4/31"] },
    ]);
    assert.deepEqual(specs(other, "UnderlayNetwork"), [{ pools: ["whereabouts-10-7-0-0-16"] }]);
  });

  it("converts a range with one limit", () => {
    const half = { type: "whereabouts", range: "10.7.0.0/16", range_start: "10.7.9.0" };
    const [pool] = specs(
      planWhereaboutsMigration(pools, definition({ type: "macvlan", ipam: half }), PODS),
      "UnderlayPool",
    );
    assert.deepEqual(pool, { subnet: "10.7.0.0/16", ranges: ["10.7.9.0-10.7.255.254"], excluded: [] });
  });

  it("names networks with different limits in one range", () => {
    const ipRanges = [{ range: "10.7.1.0-10.7.1.9/16" }, { range: "10.7.2.0-10.7.2.9/16" }];
    const other = planWhereaboutsMigration(
      pools,
      definition({ type: "macvlan", ipam: { type: "whereabouts", ipRanges } }),
      PODS,
    );
    assert.match(
      other.notes.join("\n"),
      /limits 10\.7\.1\.0-10\.7\.1\.9, 10\.7\.2\.0-10\.7\.2\.9; the pool has the first/,
    );
  });

  it("computes IPv6 addresses from offsets", () => {
    const six = {
      items: [
        { metadata: { name: "six" }, spec: { range: "fd00::/64", allocations: { "65536": { podref: "shop/web-1" } } } },
      ],
    };
    const [address] = select(planWhereaboutsMigration(six, { items: [] }, PODS), "UnderlayAddress");
    assert.equal((address?.spec as { address: string }).address, "fd00::1:0");
    assert.match(address?.metadata.name ?? "", /^v6-fd00-0-/);
  });
});

describe("the migration from Spiderpool", () => {
  const pool = (spec: object, status: object = {}) => ({
    items: [
      { metadata: { name: "lan" }, spec: { subnet: "10.7.0.0/16", ips: ["10.7.1.0-10.7.1.9"], ...spec }, status },
    ],
  });
  const none = { items: [] };

  it("converts ranges, exclusions, reserved addresses of the subnet, gateway and routes", () => {
    const routes = [{ dst: "10.9.0.0/16", gw: "10.7.0.2" }];
    const spec = { excludeIPs: ["10.7.1.3"], gateway: "10.7.0.1", routes };
    const reserved = { items: [{ spec: { ips: ["10.7.1.5", "10.8.0.1", "fd00::1"] } }] };
    assert.deepEqual(specs(planSpiderpoolMigration(pool(spec), reserved, PODS), "UnderlayPool"), [
      {
        subnet: "10.7.0.0/16",
        ranges: ["10.7.1.0-10.7.1.9"],
        excluded: ["10.7.1.3", "10.7.1.5", "10.7.0.1"],
        gateway: "10.7.0.1",
        routes,
      },
    ]);
  });

  it("holds an allocated address only for the pod with the recorded UID", () => {
    const allocatedIPs = JSON.stringify({
      "10.7.1.1": { interface: "eth0", pod: "shop/web-0", podUid: "u0" },
      "10.7.1.2": { interface: "eth0", pod: "shop/web-1", podUid: "another" },
    });
    const plan = planSpiderpoolMigration(pool({}, { allocatedIPs }), none, PODS);
    assert.deepEqual(
      select(plan, "UnderlayAddress").map(({ metadata }) => metadata.name),
      ["10.7.1.1"],
    );
    assert.match(plan.notes.join("\n"), /10\.7\.1\.2: its pod shop\/web-1/);
  });

  it("converts selectors, names and the state of a pool", () => {
    const podAffinity = { matchLabels: { tier: "db" }, matchExpressions: [{ key: "app", operator: "Exists" }] };
    const spec = { nodeName: ["a", "b"], namespaceName: ["shop"], podAffinity, default: true, disable: true };
    const [converted] = specs(planSpiderpoolMigration(pool(spec), none, PODS), "UnderlayPool");
    assert.deepEqual(converted, {
      subnet: "10.7.0.0/16",
      ranges: ["10.7.1.0-10.7.1.9"],
      excluded: [],
      nodeNames: ["a", "b"],
      namespaces: ["shop"],
      podSelector: podAffinity,
      default: true,
      disabled: true,
    });
  });

  it("names what has no equivalent", () => {
    const { notes } = planSpiderpoolMigration(pool({ vlan: 7, multusName: ["kube-system/lan"] }), none, PODS);
    for (const word of ["vlan 7", "multusName"]) assert.match(notes.join("\n"), new RegExp(word));
  });
});
