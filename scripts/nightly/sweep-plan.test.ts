import assert from "node:assert/strict";
import { planSweep } from "./sweep-plan.ts";

describe("the sweep's plan", () => {
  it("takes the oldest control plane within the skew policy", () => {
    const { groups } = planSweep(["v1.28.15", "v1.31.4", "v1.34.1", "v1.37.2"], ["v1.37.2", "v1.29.15", "v1.34.1"]);
    assert.deepEqual(
      groups.map(({ kubernetes, entries }) => [
        kubernetes,
        ...entries.map(({ version, mode }) => `${version}/${mode}`),
      ]),
      [
        ["v1.29.15", "v1.28.15/iptables"],
        ["v1.34.1", "v1.31.4/iptables", "v1.31.4/nftables", "v1.34.1/iptables", "v1.34.1/nftables"],
        ["v1.37.2", "v1.37.2/iptables", "v1.37.2/nftables"],
      ],
    );
  });

  it("says what it leaves out, and why", () => {
    const { leftOut } = planSweep(["v1.28.15", "v1.30.1"], ["v1.29.15"]);
    assert.deepEqual(
      leftOut.map(({ version, mode, reason }) => `${version}/${mode}: ${reason}`),
      [
        "v1.28.15/nftables: kube-proxy has no nftables mode before v1.29",
        "v1.30.1/iptables: no control plane of v1.29.15 is within the version skew policy",
        "v1.30.1/nftables: no control plane of v1.29.15 is within the version skew policy",
      ],
    );
  });
});
