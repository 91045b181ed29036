import assert from "node:assert/strict";
import { planHostLocalMigration } from "./host-local.ts";

describe("the migration from host-local", () => {
  const definition = (name: string, config: object) => ({
    metadata: { name, namespace: "shop" },
    spec: { config: JSON.stringify(config) },
  });
  const lan = {
    type: "macvlan",
    master: "eth1",
    ipam: {
      type: "host-local",
      ranges: [
        [{ subnet: "10.7.0.0/16", rangeStart: "10.7.1.2", rangeEnd: "10.7.1.9", gateway: "10.7.0.1" }],
        [{ subnet: "fd07::/64" }],
      ],
    },
  };
  const older = { plugins: [{ type: "bridge", ipam: { type: "host-local", subnet: "10.8.0.0/24" } }] };
  const pod = (uid: string, ...addresses: readonly string[]) => ({
    uid,
    node: "a",
    interfaces: [{ ifname: "net1", addresses }],
  });
  const plan = planHostLocalMigration(
    { items: [definition("lan", lan), definition("older", older), definition("other", { type: "macvlan" })] },
    new Map([
      ["shop/web-0", pod("u0", "10.7.1.2", "fd07::2")],
      ["shop/web-1", pod("u1", "10.7.1.2")],
      ["shop/away", pod("u2", "10.9.0.1")],
    ]),
  );
  const specs = (kind: string) => plan.objects.filter((one) => one.kind === kind).map(({ spec }) => spec);

  it("converts each range to a pool, with the limits and the gateway of the range", () => {
    assert.deepEqual(specs("UnderlayPool"), [
      { subnet: "10.7.0.0/16", ranges: ["10.7.1.2-10.7.1.9"], gateway: "10.7.0.1", excluded: ["10.7.0.1"] },
      { subnet: "fd07::/64", ranges: ["fd07::/64"] },
      { subnet: "10.8.0.0/24", ranges: ["10.8.0.0/24"] },
    ]);
  });
  it("holds the addresses that Multus reports of running pods", () => {
    const held = { pool: "host-local-10-7-1-2-10-7-1-9", node: "a", containerId: "", ifname: "net1", network: "" };
    const holder = { namespace: "shop", name: "web-0", uid: "u0" };
    assert.deepEqual(specs("UnderlayAddress"), [
      { ...held, address: "10.7.1.2", pod: holder },
      { ...held, address: "fd07::2", pool: "host-local-fd07-64", pod: holder },
    ]);
  });
  it("names pods with the same address, and networks that are not macvlan", () => {
    assert.match(plan.notes.join("\n"), /10\.7\.1\.2: pods shop\/web-0 and shop\/web-1 have it/);
    assert.match(plan.notes.join("\n"), /network shop\/older is of type bridge/);
    assert.deepEqual(specs("UnderlayNetwork"), [
      { uplink: "eth1", pools: ["host-local-10-7-1-2-10-7-1-9", "host-local-fd07-64"] },
    ]);
  });
});
