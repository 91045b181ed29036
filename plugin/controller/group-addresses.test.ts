import assert from "node:assert/strict";
import { underlayAddress, underlayPool } from "../kubernetes/objects.ts";
import { parsePools } from "../ipam/pool/parse-pools.ts";
import { groupAddresses } from "./group-addresses.ts";

const POOLS = 200;
const ADDRESSES = 50_000;

const pool = (name: string, ...ranges: readonly string[]) =>
  underlayPool.parse({
    metadata: { name, uid: name, creationTimestamp: "2026-01-01T00:00:00Z" },
    spec: { subnet: ranges[0]?.includes(":") === true ? "fd07::/64" : "10.0.0.0/8", ranges },
  });
const address = (ip: string, poolName: string) =>
  underlayAddress.parse({
    metadata: { name: ip },
    spec: {
      address: ip,
      pool: poolName,
      node: "n1",
      containerId: "c",
      ifname: "eth0",
      pod: { namespace: "d", name: "a", uid: "a" },
    },
  });

describe("groupAddresses", () => {
  it("groups addresses by ranges, of either family, and those outside by the pool that gave them", () => {
    const { valid } = parsePools([
      pool("a", "10.1.0.0/24", "10.1.2.0/24"),
      pool("b", "10.1.1.0/24"),
      pool("six", "fd07::/120"),
    ]);
    const all = [
      address("10.1.0.7", "a"),
      address("10.1.2.7", "a"),
      address("10.1.1.7", "a"),
      address("10.9.9.9", "b"),
      address("fd07::7", "six"),
      address("10.9.9.8", "gone"),
    ];
    const found = [...groupAddresses(valid, all, new Set())].map(([name, { used, left }]) => [
      name,
      used.map(({ spec }) => spec.address),
      left.map(({ spec }) => spec.address),
    ]);
    assert.deepEqual(found, [
      ["a", ["10.1.0.7", "10.1.2.7"], ["10.1.1.7"]],
      ["b", ["10.1.1.7"], ["10.9.9.9"]],
      ["six", ["fd07::7"], []],
    ]);
  });

  it("counts an address for each of two pools that overlap", () => {
    const { valid } = parsePools([pool("a", "10.1.0.0/24"), pool("b", "10.1.0.0/25")]);
    const groups = groupAddresses(valid, [address("10.1.0.7", "a")], new Set(["b"]));
    assert.deepEqual(
      [...groups.values()].map(({ used, left }) => [used.length, left.length]),
      [
        [1, 0],
        [1, 0],
      ],
    );
  });

  it(`groups ${ADDRESSES} addresses of ${POOLS} pools in a small multiple of the time for one pool`, () => {
    const { valid } = parsePools(Array.from({ length: POOLS }, (_, index) => pool(`p${index}`, `10.${index}.0.0/16`)));
    const all = Array.from({ length: ADDRESSES }, (_, index) =>
      address(`10.${index % POOLS}.${(index >> 8) & 255}.${index & 255}`, `p${index % POOLS}`),
    );
    const measure = (pools: typeof valid): number => {
      groupAddresses(pools, all, new Set());
      const before = process.cpuUsage();
      groupAddresses(pools, all, new Set());
      const { user, system } = process.cpuUsage(before);
      return (user + system) / 1000;
    };
    const [one, many] = [measure(valid.slice(0, 1)), measure(valid)];
    assert.ok(many < 10 * Math.max(one, 5), `${many} ms for ${POOLS} pools, ${one} ms for one`);
  }).timeout(20_000);
});
