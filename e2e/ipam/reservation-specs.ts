import assert from "node:assert/strict";
import { ensureObject } from "../support/cluster-api.ts";
import { By, DeferCleanup, Eventually, It } from "../harness.ts";
import { type IpamContext, IPAM_NAMESPACE } from "./ipam-context.ts";
import type { KubeObject } from "../pods/kube-object.ts";
import { createIpamPod, readAddress, toPodRef } from "./ipam-workloads.ts";
import { GROUP_VERSION } from "../../plugin/kubernetes/objects.ts";

/** Specs of reserved ranges, and of pools that are deleted while their addresses are in use. */
export function registerReservationSpecs(context: () => IpamContext): void {
  const requestAddress = (name: string, address: string): Promise<void> =>
    createIpamPod(context(), name, { network: "partly", annotations: { "interlay.dev/ip": address } });

  It("a reserved range serves only pods of its namespaces that request an address", { timeout: 200_000 }, async () => {
    const [ownAddress, foreignAddress, freeAddress] = [1, 2, 3].map((index) => context().buildAddress(13, index));
    assert.ok(ownAddress !== undefined && foreignAddress !== undefined && freeAddress !== undefined);
    await context().createPool("partly", { ranges: [context().buildRange(13, 3)] });
    for (const [name, range, namespace] of [
      ["suite-mine", ownAddress, IPAM_NAMESPACE],
      ["suite-theirs", foreignAddress, "kube-system"],
    ] as const) {
      const spec = { ranges: [range], namespaces: [namespace] };
      const object: KubeObject = { apiVersion: GROUP_VERSION, kind: "UnderlayReservation", metadata: { name }, spec };
      await ensureObject(context().api, object);
      DeferCleanup(() => context().removeObject(object));
    }
    await Eventually(
      "the pool's status lists both ranges",
      () => context().readPoolStatus("partly"),
      ({ reservations = [] }) => reservations.length === 2,
      { timeout: 30_000 },
    );
    await createIpamPod(context(), "unreserved", { network: "partly" });
    assert.equal(await readAddress(context(), "unreserved"), freeAddress);
    await requestAddress("reserved", ownAddress);
    assert.equal(await readAddress(context(), "reserved"), ownAddress);
    await requestAddress("foreign", foreignAddress);
    await Eventually(
      "an Event reports that the pod may not have the address",
      () => context().api.core.listNamespacedEvent({ namespace: IPAM_NAMESPACE }),
      ({ items }) =>
        items.some(
          ({ involvedObject, message = "" }) =>
            involvedObject.name === "foreign" && message.includes("requests is in a usable pool"),
        ),
      { timeout: 60_000 },
    );
    for (const name of ["unreserved", "reserved", "foreign"]) await context().removeObject(toPodRef(name));
    await context().waitUntilEmpty("partly");
  });

  It("a deleted pool stays until the pods with its addresses are gone", { timeout: 200_000 }, async () => {
    await context().createPool("ends", { ranges: [context().buildRange(14, 3)] });
    await createIpamPod(context(), "last", { network: "ends" });
    await readAddress(context(), "last");
    const pool: KubeObject = { apiVersion: GROUP_VERSION, kind: "UnderlayPool", metadata: { name: "ends" } };
    const finalizers = async (): Promise<readonly string[]> =>
      (await context().api.objects.read(pool)).metadata?.finalizers ?? [];
    await Eventually("the pool in use has a finalizer", finalizers, (names) => names.length > 0, { timeout: 30_000 });
    await context().removeObject(pool);
    await Eventually(
      "the pool says that it is deleted",
      () => context().readPoolStatus("ends"),
      ({ conditions }) => conditions.some(({ message }) => message.startsWith("It is deleted")),
      { timeout: 30_000 },
    );
    await context().removeObject(toPodRef("last"));
    await By("the pool is gone", () =>
      Eventually(
        "no pool has that name",
        () => context().api.objects.list(GROUP_VERSION, "UnderlayPool"),
        ({ items }) => !items.some(({ metadata }) => metadata?.name === "ends"),
        { timeout: 60_000 },
      ),
    );
  });
}
