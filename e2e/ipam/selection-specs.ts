import assert from "node:assert/strict";
import { By, DeferCleanup, Eventually, It } from "../harness.ts";
import { type IpamContext, IPAM_NAMESPACE } from "./ipam-context.ts";
import { createIpamPod, readAddress, toPodRef } from "./ipam-workloads.ts";
import { GROUP_VERSION } from "../../plugin/kubernetes/objects.ts";

const RACK = "interlay.dev/suite-rack";

/** Specs of the choice of pools: by node, by network, by annotation and by priority. */
export function registerSelectionSpecs(context: () => IpamContext): void {
  const removePods = async (...names: readonly string[]): Promise<void> => {
    for (const name of names) await context().removeObject(toPodRef(name));
  };
  const assertInPool = (address: string, pool: number): void => {
    const prefix = context().buildAddress(pool, 0).replace(/0$/, "");
    assert.ok(address.startsWith(prefix), `${address} is not in ${prefix}0/24`);
  };

  It(
    "two racks with a pool each share one network: each pod gets an address of its rack",
    { timeout: 200_000 },
    async () => {
      const racks = ["a", "b"] as const;
      for (const [index, rack] of racks.entries()) {
        const name = context().workers[index] ?? "";
        const label = (value: string) =>
          context().mergeObject({ apiVersion: "v1", kind: "Node", metadata: { name, labels: { [RACK]: value } } });
        await label(rack);
        DeferCleanup(() => label(""));
        const nodeSelector = { matchExpressions: [{ key: RACK, operator: "In", values: [rack] }] };
        await context().addPool(`rack-${rack}`, { ranges: [context().buildRange(5 + index, 9)], nodeSelector });
      }
      await context().addNetwork("racks", { pools: ["rack-*"] });
      const names = ["a-1", "b-1", "a-2", "b-2"];
      for (const name of names)
        await createIpamPod(context(), name, {
          network: "racks",
          node: context().workers[name.startsWith("a") ? 0 : 1] ?? "",
        });
      for (const name of names) assertInPool(await readAddress(context(), name), name.startsWith("a") ? 5 : 6);
      await removePods(...names);
    },
  );

  It("a full or disabled pool spills over to the next by priority", { timeout: 200_000 }, async () => {
    await context().addPool("one-first", {
      ranges: [context().buildAddress(7, 1)],
      priority: 1,
      namespaces: [IPAM_NAMESPACE],
    });
    await context().addPool("one-next", {
      ranges: [context().buildRange(8, 4)],
      priority: 2,
      namespaces: [IPAM_NAMESPACE],
    });
    await context().addNetwork("one", { pools: ["one-*"] });
    await createIpamPod(context(), "first", { network: "one" });
    assert.equal(await readAddress(context(), "first"), context().buildAddress(7, 1));
    await createIpamPod(context(), "second", { network: "one" });
    assertInPool(await readAddress(context(), "second"), 8);
    await removePods("first");
    await context().waitUntilEmpty("one-first");
    const disabled = { apiVersion: GROUP_VERSION, kind: "UnderlayPool", metadata: { name: "one-first" } };
    await context().mergeObject({ ...disabled, spec: { disabled: true } });
    await Eventually(
      "the disabled pool is not Ready",
      () => context().readPoolStatus("one-first"),
      ({ conditions }) => conditions.some(({ type, status }) => type === "Ready" && status === "False"),
      { timeout: 30_000 },
    );
    await createIpamPod(context(), "third", { network: "one" });
    assertInPool(await By("another pool serves", () => readAddress(context(), "third")), 8);
    await removePods("second", "third");
  });

  It("a pod's annotation chooses among the pools of its network, and no other", { timeout: 200_000 }, async () => {
    await context().addPool("mine-a", { ranges: [context().buildRange(9, 4)] });
    await context().addPool("mine-b", { ranges: [context().buildRange(10, 4)] });
    await context().addNetwork("mine", { pools: ["mine-a", "mine-b"] });
    const annotations = { "interlay.dev/pools": "*-b" };
    await createIpamPod(context(), "chooses", { network: "mine", annotations });
    assertInPool(await readAddress(context(), "chooses"), 10);
    await createIpamPod(context(), "outside", {
      network: "mine",
      annotations: { "interlay.dev/pools.eth0": "steady" },
    });
    await Eventually(
      "an Event names the pool that the network does not have",
      () => context().api.core.listNamespacedEvent({ namespace: IPAM_NAMESPACE }),
      ({ items }) =>
        items.some(
          ({ involvedObject, message = "" }) =>
            involvedObject.name === "outside" && message.includes("interlay.dev/pools names (steady)"),
        ),
    );
    await removePods("chooses", "outside");
  });
}
