import assert from "node:assert/strict";
import { underlayPool } from "../../kubernetes/objects.ts";
import { parseIp } from "../../datapath/address.ts";
import { OccupantIndex, readOccupied } from "./occupied.ts";
import { parsePoolSpaces } from "./address-space.ts";
import { parsePools } from "./parse-pools.ts";

const SPEC = { subnet: "10.7.0.0/16", ranges: ["10.7.168.0/24"], excluded: [], reserved: ["10.7.168.80"] };

describe("occupied addresses", () => {
  it("should find addresses of nodes and Services in a pool's ranges, reserved ones included", () => {
    const found = new OccupantIndex([
      { address: "10.7.168.72", by: "Node n2" },
      { address: "10.7.168.71", by: "Node n1" },
      { address: "10.7.168.71", by: "Service shop/web" },
      { address: "10.7.168.80", by: "Service shop/web" },
      { address: "10.8.0.1", by: "Node n3" },
      { address: "lb.example.com", by: "Service shop/web" },
      { address: "fd00::1", by: "Node n1" },
    ]).find(parsePoolSpaces(SPEC).all);
    assert.deepEqual(found, [
      { address: "10.7.168.71", by: "Node n1" },
      { address: "10.7.168.72", by: "Node n2" },
      { address: "10.7.168.80", by: "Service shop/web" },
    ]);
  });

  it("are found at both ends of each range, and not next to them", () => {
    const addresses = ["9", "10", "11", "12", "20", "21", "22"].map((last) => `10.7.168.${last}`);
    const index = new OccupantIndex([...addresses, "::a07:a80a"].map((address) => ({ address, by: "Node n1" })));
    const spec = { ...SPEC, ranges: ["10.7.168.10-10.7.168.11", "10.7.168.21"] };
    assert.deepEqual(
      index.find(parsePoolSpaces(spec).all).map(({ address }) => address),
      ["10.7.168.10", "10.7.168.11", "10.7.168.21"],
    );
    assert.deepEqual(new OccupantIndex([]).find(parsePoolSpaces(spec).all), []);
  });

  it("should keep occupied addresses out of the pool's spaces", () => {
    const status = { occupied: [{ address: "10.7.168.71", by: "Node n1" }] };
    const metadata = { name: "a", uid: "a", creationTimestamp: "2026-01-01T00:00:00Z" };
    const { valid } = parsePools([underlayPool.parse({ metadata, spec: SPEC, status })]);
    const has = (ip: string) => valid[0]?.spaces.all.has(parseIp(ip));
    assert.deepEqual([has("10.7.168.71"), has("10.7.168.72")], [false, true]);
  });

  it("should return none for a status without occupied addresses or an invalid one", () => {
    for (const status of [undefined, {}, { total: 3 }, { occupied: "x" }, { occupied: [{ address: "x", by: "" }] }])
      assert.deepEqual(readOccupied(status), []);
  });
});
