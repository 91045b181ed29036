import assert from "node:assert/strict";
import { measurePart } from "./measure-part.ts";
import { isWithinLimit } from "./measurement.ts";

describe("measurePart", () => {
  it("returns the measurements of a part", async () => {
    const measurement = { name: "ADD", value: 1, unit: "ms", basis: "" } as const;
    assert.deepEqual(await measurePart("ADD", () => Promise.resolve([measurement])), [measurement]);
  });

  it("returns a row over its limit, with the reason, for a part that throws", async () => {
    const rows = await measurePart("ADD", () => Promise.reject(new Error("no lease\n  at line 1")));
    assert.deepEqual(
      rows.map(({ name, basis }) => [name, basis]),
      [["ADD: not measured", "no lease"]],
    );
    assert.ok(!rows.every(isWithinLimit));
  });
});
