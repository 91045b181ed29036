import assert from "node:assert/strict";
import { parseCidr, parseIp } from "./address.ts";
import { type Facts, FACTS_SCHEMA } from "./facts.ts";
import { DEFAULT_NUMBERS } from "./numbers.ts";
import { describeItem } from "./plan.ts";
import { replan } from "./replan.ts";
import { planUnderlay } from "./underlay.ts";

const facts = (...overlay: readonly string[]): Facts => ({
  schema: FACTS_SCHEMA,
  node: { name: "n1", addresses: ["10.7.168.71", "fd07::71"].map(parseIp) },
  uplink: "eth0",
  overlayCidrs: overlay.map(parseCidr),
  localOverlayBlocks: [],
  serviceCidrs: ["10.233.0.0/18", "fd33::/112"].map(parseCidr),
  hijackCidrs: [],
  returnPath: "notrack",
  sources: {},
});
const pod = {
  containerId: "c",
  ifname: "eth0",
  addresses: ["10.7.200.1", "fd07::200:1"].map(parseIp),
  mtu: 1500,
  numbers: DEFAULT_NUMBERS,
};
const lines = (plan: ReturnType<typeof planUnderlay>) => plan.items.map(describeItem);
const before = planUnderlay(facts("10.233.64.0/18"), pod);

describe("replan: a running pod's plan by changed facts", () => {
  it("is what the pod would get if it were wired now, in both families", () => {
    for (const now of [facts("10.233.64.0/18", "10.234.0.0/24", "fd34::/48"), facts("10.99.0.0/16")])
      assert.deepEqual(lines(replan(before, now)?.plan ?? { items: [] }), lines(planUnderlay(now, pod)));
  });

  it("tells what goes", () => {
    assert.deepEqual(replan(before, facts("10.99.0.0/16"))?.gone.map(describeItem), [
      "pod: route 10.233.64.0/18 via 10.7.168.71 dev veth0 src 10.7.200.1",
    ]);
  });

  it("is undefined where nothing changes", () => {
    assert.equal(replan(before, facts("10.233.64.0/18")), undefined);
    assert.equal(replan({ items: [] }, facts("10.99.0.0/16")), undefined);
  });
});
