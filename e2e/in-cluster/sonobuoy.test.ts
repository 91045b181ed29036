import assert from "node:assert/strict";
import { parsePluginSummary } from "./sonobuoy.ts";

describe("what Sonobuoy prints of a plugin", () => {
  it("has a status and the numbers of tests", () => {
    const text = "Plugin: interlay\nStatus: passed\nTotal: 320\nPassed: 318\nFailed: 0\nSkipped: 2\n";
    assert.deepEqual(parsePluginSummary(text), { status: "passed", total: 320, failed: 0 });
  });

  it("is an error without a line that must be there", () => {
    assert.throws(() => parsePluginSummary("Plugin: interlay\nStatus: passed\n"), /no line "Total"/);
  });
});
