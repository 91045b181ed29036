import assert from "node:assert/strict";
import type { Occupant } from "../ipam/pool/occupied.ts";
import { parsePools } from "../ipam/pool/parse-pools.ts";
import { underlayAddress, underlayPool } from "../kubernetes/objects.ts";
import { addTransitionTimes, poolStatusSchema } from "../kubernetes/status-schemas.ts";
import { summarizePools } from "./pool-status.ts";

const pool = (name: string, ranges: readonly string[], creationTimestamp = "2026-01-01T00:00:00Z") =>
  underlayPool.parse({ metadata: { name, creationTimestamp, uid: name }, spec: { subnet: "10.8.0.0/16", ranges } });
const held = (address: string, poolName: string, conflict?: string) =>
  underlayAddress.parse({
    metadata: { name: address },
    spec: {
      address,
      pool: poolName,
      node: "n",
      containerId: "c",
      ifname: "eth0",
      pod: { namespace: "shop", name: "db-0", uid: "u" },
      ...(conflict === undefined ? {} : { conflict }),
    },
  });
const status = (
  pools: ReturnType<typeof pool>[],
  addresses: ReturnType<typeof held>[],
  occupants: readonly Occupant[] = [],
) =>
  summarizePools(
    {
      underlayPools: { values: () => pools },
      underlayAddresses: { values: () => addresses },
    } as unknown as Parameters<typeof summarizePools>[0],
    occupants,
  );

describe("a pool's status", () => {
  it("should count used, free and conflicting addresses", () => {
    const one = status(
      [pool("a", ["10.8.1.0/29"])],
      [held("10.8.1.1", "a"), held("10.8.1.2", "a", "02:00:00:00:00:01")],
    ).get("a");
    const text = (one?.conditions ?? []).map(({ message }) => message).join(" ");
    assert.deepEqual([one?.total, one?.used, one?.free, one?.conflicts, one?.draining], [8, 2, 6, 1, 0]);
    assert.deepEqual(
      one?.conditions.map(({ type, status: value }) => [type, value]),
      [
        ["Conflicts", "True"],
        ["Ready", "True"],
      ],
    );
    assert.match(text, /^Other hosts have 10\.8\.1\.2 \(02:00:00:00:00:01\): no pod gets them/);
  });

  it("counts as free only addresses that any pod can get", () => {
    const object = underlayPool.parse({
      metadata: { name: "a", uid: "a" },
      spec: { subnet: "10.8.0.0/16", ranges: ["10.8.1.0/28"], reserved: ["10.8.1.0/30"] },
    });
    const view = {
      underlayPools: { values: () => [object] },
      underlayAddresses: { values: () => ["10.8.1.1", "10.8.1.5", "10.8.1.9"].map((address) => held(address, "a")) },
    };
    const one = summarizePools(
      view as unknown as Parameters<typeof summarizePools>[0],
      [{ address: "10.8.1.8", by: "Node n1" }],
      [{ range: "10.8.1.12-10.8.1.15", namespaces: ["shop"], by: "UnderlayReservation shop" }],
    ).get("a");
    // 16, without 4 reserved, 1 occupied and 4 of the UnderlayReservation, and 2 of them in use.
    assert.deepEqual([one?.total, one?.used, one?.free], [16, 3, 5]);
  });

  it("counts the addresses that no pod has as free in a pool that is reserved as a whole", () => {
    const object = underlayPool.parse({
      metadata: { name: "a", uid: "a" },
      spec: { subnet: "10.8.0.0/16", ranges: ["10.8.1.0/29"], reserved: ["10.8.1.0/24"] },
    });
    assert.equal(status([object], [held("10.8.1.1", "a")]).get("a")?.free, 7);
  });

  it("counts no address as free that a pool cannot give because too many are reserved", () => {
    const occupants = Array.from({ length: 1001 }, (_, index) => ({
      address: `10.8.${64 + Math.floor(index / 250)}.${index % 250}`,
      by: `Node n${index}`,
    }));
    assert.equal(status([pool("a", ["10.8.64.0/18"])], [], occupants).get("a")?.free, 0);
  });

  it("reports the addresses to drain after a pool was made smaller than its use", () => {
    const one = status([pool("a", ["10.8.1.0/30"])], [held("10.8.1.1", "a"), held("10.8.1.7", "a")]).get("a");
    assert.deepEqual([one?.total, one?.used, one?.free, one?.draining], [4, 1, 3, 1]);
    const [draining] = one?.conditions.filter(({ type }) => type === "Draining") ?? [];
    assert.match(draining?.message ?? "", /^10\.8\.1\.7 of pod shop\/db-0 is no longer in the ranges/);
  });

  it("says how many addresses keep a deleted pool, and which of its ranges are reserved", () => {
    const deleted = underlayPool.parse({
      metadata: { name: "a", uid: "a", deletionTimestamp: "2026-01-01T00:00:00Z" },
      spec: { subnet: "10.8.0.0/16", ranges: ["10.8.1.0/29"] },
    });
    const range = { range: "10.8.1.4/32", namespaces: ["shop"], by: "UnderlayReservation shop" };
    const one = summarizePools(
      {
        underlayPools: { values: () => [deleted] },
        underlayAddresses: { values: () => [held("10.8.1.1", "a")] },
      } as unknown as Parameters<typeof summarizePools>[0],
      [],
      [range],
    ).get("a");
    const ready = one?.conditions.find(({ type }) => type === "Ready");
    assert.deepEqual([ready?.status, ready?.reason, one?.reservations], ["False", "Deleted", [range]]);
    assert.match(ready?.message ?? "", /the pods of its 1 addresses in use/);
  });

  it("gives no address of a pool that contains more reserved ranges than its status lists", () => {
    const ranges = Array.from({ length: 2001 }, (_, index) => ({
      range: `10.8.${64 + Math.floor(index / 128)}.${(index % 128) * 2}`,
      namespaces: [],
      by: "UnderlayReservation many",
    }));
    const summarize = (count: number) => {
      const object = pool("a", ["10.8.64.0/18"]);
      const view = { underlayPools: { values: () => [object] }, underlayAddresses: { values: () => [] } };
      const one = summarizePools(view as unknown as Parameters<typeof summarizePools>[0], [], ranges.slice(0, count));
      const { conditions = [], ...status } = one.get("a") ?? {};
      const free = parsePools([{ ...object, status }]).valid[0]?.spaces.free.size;
      return { reason: conditions.find(({ type }) => type === "Ready")?.reason, free };
    };
    assert.deepEqual(summarize(2000), { reason: "Giving", free: 16_384n - 2000n });
    assert.deepEqual(summarize(2001), { reason: "TooManyReserved", free: 0n });
  });

  it("gives no address of a pool that contains more occupied addresses than its status lists", () => {
    const occupants = Array.from({ length: 1001 }, (_, index) => ({
      address: `10.8.${64 + Math.floor(index / 250)}.${index % 250}`,
      by: `Node n${index}`,
    }));
    const one = status([pool("a", ["10.8.64.0/18"])], [], occupants).get("a");
    assert.deepEqual(
      one?.reservations.map(({ range }) => range),
      ["10.8.64.0-10.8.127.255"],
    );
    assert.match(one.conditions.at(-1)?.message ?? "", /^Its ranges contain 1001 addresses of nodes and Services/);
  });

  it("is not Ready while the pool is disabled", () => {
    const disabled = underlayPool.parse({
      metadata: { name: "a", uid: "a" },
      spec: { subnet: "10.8.0.0/16", ranges: ["10.8.1.0/29"], disabled: true },
    });
    const ready = status([disabled], [])
      .get("a")
      ?.conditions.find(({ type }) => type === "Ready");
    assert.deepEqual([ready?.status, ready?.reason], ["False", "Disabled"]);
  });

  it("should name nodes and Services whose addresses are in the ranges, and not count them as free", () => {
    const occupants = [
      { address: "10.8.1.2", by: "Node n2" },
      { address: "10.9.0.1", by: "Node n3" },
      { address: "10.8.1.3", by: "Service shop/web" },
    ];
    const one = status([pool("a", ["10.8.1.0/29"])], [], occupants).get("a");
    assert.deepEqual(one?.occupied, [occupants[0], occupants[2]]);
    const [condition] = one.conditions.filter(({ type }) => type === "Occupied");
    assert.match(
      condition?.message ?? "",
      /^10\.8\.1\.2 \(Node n2\), 10\.8\.1\.3 \(Service shop\/web\) are in its ranges/,
    );
  });

  it("has the fields of its schema, also for an IPv6 pool with more addresses than a CRD's integer can hold", () => {
    const one = status([pool("a", ["10.8.1.0/29"])], [held("10.8.1.1", "a", "02:00:00:00:00:01")]).get("a");
    const conditions = addTransitionTimes(one?.conditions ?? [], [], new Date());
    poolStatusSchema.parse({ ...one, observedGeneration: 1, nodesOutside: { count: 1, example: "n1" }, conditions });
    assert.throws(() => poolStatusSchema.parse({ ...one, observedGeneration: 1, conditions, other: 1 }), /other/);
    poolStatusSchema.parse({ ...one, observedGeneration: 1, conditions, total: 2 ** 64, free: 2 ** 64 });
  });

  it("should not count the later of two overlapping pools", () => {
    const both = status([pool("a", ["10.8.1.0/30"]), pool("b", ["10.8.1.2"], "2026-01-02T00:00:00Z")], []);
    assert.deepEqual(
      [...both].map(([name, { conditions }]) => [name, conditions[0]?.status, conditions[0]?.reason]),
      [
        ["a", "True", "Giving"],
        ["b", "False", "Overlap"],
      ],
    );
  });
});
