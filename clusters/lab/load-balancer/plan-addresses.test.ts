import assert from "node:assert/strict";
import { findVirtualAddress, planBalancedAddresses, type BalancedService } from "./plan-addresses.ts";

describe("the lab's load balancer", () => {
  const find = (family: "IPv4" | "IPv6", index: number) =>
    findVirtualAddress(family, index, "10.7.168.71", "fd00:10:7::1");
  const service = (name: string, changes: Partial<BalancedService> = {}): BalancedService => ({
    namespace: "demo",
    name,
    holder: undefined,
    ipFamilies: ["IPv4"],
    ingress: [],
    externalIps: [],
    ...changes,
  });

  it("plans an ingress address and an external IP of each family, on the node of the annotation", () => {
    const [first, second] = planBalancedAddresses(
      [service("a", { holder: "w2", ipFamilies: ["IPv4", "IPv6"] }), service("b")],
      ["w1", "w2"],
      find,
    );
    assert.deepEqual(first, {
      namespace: "demo",
      name: "a",
      node: "w2",
      changed: true,
      ingress: ["10.7.210.10", "fd00:10:7::210:10"],
      externalIps: ["10.7.210.11", "fd00:10:7::210:11"],
    });
    assert.deepEqual([second?.node, second?.ingress, second?.externalIps], ["w1", ["10.7.210.12"], ["10.7.210.13"]]);
  });

  it("keeps a Service's addresses and plans them for no other Service", () => {
    const has = service("a", { ingress: ["10.7.210.10"], externalIps: ["10.7.210.12"] });
    const [first, second] = planBalancedAddresses([has, service("b")], ["w1"], find);
    assert.equal(first?.changed, false);
    assert.deepEqual([second?.ingress, second?.externalIps], [["10.7.210.11"], ["10.7.210.13"]]);
  });

  it("skips a Service whose annotation names an unknown node", () => {
    assert.deepEqual(planBalancedAddresses([service("a", { holder: "x" })], ["w1"], find), []);
  });
});
