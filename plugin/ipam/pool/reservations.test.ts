import assert from "node:assert/strict";
import { underlayPool } from "../../kubernetes/objects.ts";
import { parseIp } from "../../datapath/address.ts";
import { parsePools } from "./parse-pools.ts";
import { findReservations, restrictToNamespace } from "./reservations.ts";

const FOR_SHOP = { range: "10.7.200.0/30", namespaces: ["shop"], by: "UnderlayReservation shop" };
const FOR_NOBODY = { range: "10.7.200.8-10.7.200.9", namespaces: [], by: "IPAddressPool metallb-system/edge" };

describe("reserved ranges", () => {
  const parse = (reservations: readonly object[]) =>
    parsePools([
      underlayPool.parse({
        metadata: { name: "p", uid: "p" },
        spec: { subnet: "10.7.0.0/16", ranges: ["10.7.200.0/28"] },
        status: { reservations },
      }),
    ]).valid;

  it("reserved ranges are given to no pod that does not request them", () => {
    const [pool] = parse([FOR_SHOP, FOR_NOBODY]);
    assert.deepEqual([pool?.spaces.free.size, pool?.spaces.all.size], [10n, 16n]);
  });
  it("reserved ranges can be requested by pods of their namespaces only", () => {
    const [pool] = parse([FOR_SHOP, FOR_NOBODY]);
    assert.ok(pool);
    const [shop, blog] = ["shop", "blog"].map((namespace) => restrictToNamespace(pool, namespace).spaces.all);
    assert.deepEqual([shop?.has(parseIp("10.7.200.1")), blog?.has(parseIp("10.7.200.1"))], [true, false]);
    assert.deepEqual([shop?.has(parseIp("10.7.200.8")), blog?.has(parseIp("10.7.200.8"))], [false, false]);
  });
  it("reserved ranges are reported for the pools that have one of their addresses", () => {
    const [pool] = parse([]);
    assert.ok(pool);
    const others = ["10.8.0.0/16", "fd00::/64", "printers"].map((range) => ({ ...FOR_SHOP, range }));
    assert.deepEqual(
      findReservations(pool.spaces.all, [FOR_SHOP, FOR_NOBODY, ...others]).map(({ range }) => range),
      ["10.7.200.8-10.7.200.9", "10.7.200.0/30"],
    );
  });
  it("ignores an unreadable status", () => {
    const [pool] = parse([{ range: "printers", by: "x" }]);
    assert.equal(pool?.spaces.free.size, 16n);
  });
});
