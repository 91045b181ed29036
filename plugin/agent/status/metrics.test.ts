import assert from "node:assert/strict";
import { Metrics } from "./metrics.ts";

describe("metrics", () => {
  it("metrics should be in the text format of Prometheus", () => {
    const metrics = new Metrics();
    metrics.count("interlay_repairs_total", "Put back.", { kind: "route" });
    metrics.count("interlay_repairs_total", "Put back.", { kind: "route" }, 2);
    metrics.set("interlay_addresses_free", "Free.", 7, { pool: 'a"b\\c' });
    assert.deepEqual(metrics.text().split("\n"), [
      "# HELP interlay_repairs_total Put back.",
      "# TYPE interlay_repairs_total counter",
      'interlay_repairs_total{kind="route"} 3',
      "# HELP interlay_addresses_free Free.",
      "# TYPE interlay_addresses_free gauge",
      'interlay_addresses_free{pool="a\\"b\\\\c"} 7',
      "",
    ]);
  });

  it("metrics should have histograms with cumulative buckets", () => {
    const metrics = new Metrics();
    for (const seconds of [0.004, 0.02, 99]) metrics.observe("interlay_cni_duration_seconds", "Calls.", seconds);
    const text = metrics.text();
    assert.match(text, /_bucket\{le="0.005"\} 1\n/);
    assert.match(text, /_bucket\{le="0.025"\} 2\n/);
    assert.match(text, /_bucket\{le="10"\} 2\n/);
    assert.match(text, /_bucket\{le="\+Inf"\} 3\n/);
    assert.match(text, /_count 3\n/);
  });
});
