import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { ensureObject } from "../support/cluster-api.ts";
import { By, DeferCleanup, Describe, Eventually, It, Skip } from "../harness.ts";
import { runIpamCommand } from "../ipam/ipam-command.ts";
import { assertAgreement, assertDistinct, EXACT_POOL, removeAllPods, setupIpamFixture } from "../ipam/ipam-fixture.ts";
import {
  readAddress,
  createIpamPod,
  toPodRef,
  readPod,
  waitForReplicas,
  rollOut,
  scaleWorkload,
  createWorkload,
} from "../ipam/ipam-workloads.ts";
import { registerReservationSpecs } from "../ipam/reservation-specs.ts";
import { registerSelectionSpecs } from "../ipam/selection-specs.ts";
import { registerSetSpecs } from "../ipam/set-specs.ts";
import { IPAM_NAMESPACE } from "../ipam/ipam-context.ts";
import { registerIfMain, type TestRun } from "../support/test-run.ts";
import { GROUP_VERSION } from "../../plugin/kubernetes/objects.ts";

/** Underlay addresses in a real cluster: they stay with their pods, and no two pods have the same. */
export function registerSpecs(run: TestRun): void {
  Describe("ipam: addresses stay with their pods", { labels: ["ipam"] }, () => {
    const context = setupIpamFixture(run);
    registerSelectionSpecs(context);
    registerSetSpecs(context);
    registerReservationSpecs(context);
    const getFirstWorker = (): string => context().workers[0] ?? "";

    It("a Deployment rolls out with exactly as many addresses as replicas", { timeout: 300_000 }, async () => {
      const strategy = { maxSurge: 0, maxUnavailable: 3 };
      const web = createWorkload(context(), "Deployment", "web", { network: "exact", replicas: EXACT_POOL, strategy });
      await ensureObject(context().api, web);
      const allAddresses = Array.from({ length: EXACT_POOL }, (_, index) => context().buildAddress(0, index + 1));
      assert.deepEqual(await By("made", () => waitForReplicas(context(), web, EXACT_POOL)), allAddresses);
      for (const mark of ["second", "third"]) {
        await rollOut(context(), web, mark);
        assert.deepEqual(
          await By(`the ${mark} rollout`, () => waitForReplicas(context(), web, EXACT_POOL)),
          allAddresses,
        );
      }
      await removeAllPods(context(), web);
      await context().waitUntilEmpty("exact");
    });

    It("a Deployment's pods use only the addresses that its template names", { timeout: 300_000 }, async () => {
      const annotations = { "interlay.dev/ip": context().buildRange(1, 4) };
      const strategy = { maxSurge: 1, maxUnavailable: 0 };
      const set = createWorkload(context(), "Deployment", "set", {
        network: "steady",
        replicas: 3,
        strategy,
        annotations,
      });
      const allowed = new Set(Array.from({ length: 4 }, (_, index) => context().buildAddress(1, index + 1)));
      const assertInSet = (addresses: readonly string[]): void => {
        assertDistinct(addresses);
        assert.ok(
          addresses.every((address) => allowed.has(address)),
          `${addresses.join(", ")} are not all in ${[...allowed].join(", ")}`,
        );
      };
      await ensureObject(context().api, set);
      assertInSet(await By("made", () => waitForReplicas(context(), set, 3)));
      await rollOut(context(), set, "second");
      // Not any held address: a deleted pod may hold its own for a moment.
      const replicaAddresses = await By("rolled out, with a surge of one pod", () =>
        waitForReplicas(context(), set, 3),
      );
      assertInSet(replicaAddresses);
      const [usedAddress = ""] = replicaAddresses;
      await createIpamPod(context(), "late", { network: "steady", annotations: { "interlay.dev/ip": usedAddress } });
      await Eventually(
        "an Event on a pod that requests a used address names the holder",
        () => context().api.core.listNamespacedEvent({ namespace: IPAM_NAMESPACE }),
        ({ items }) =>
          items.some(
            ({ involvedObject, reason, message = "" }) =>
              involvedObject.name === "late" &&
              reason === "NoUnderlayAddress" &&
              message.includes(
                `address ${usedAddress} requested by eth0 of pod ${IPAM_NAMESPACE}/late is held by pod ${IPAM_NAMESPACE}/set-`,
              ),
          ),
      );
      await context().removeObject(toPodRef("late"));
      await removeAllPods(context(), set);
      await context().waitUntilEmpty("steady");
    });

    It(
      "a StatefulSet's pods keep their addresses after restart, forced deletion, another node and scaling",
      { timeout: 400_000 },
      async () => {
        const set = createWorkload(context(), "StatefulSet", "db", { network: "steady", replicas: 2 });
        await ensureObject(context().api, set);
        await waitForReplicas(context(), set, 2);
        const previous = await readAddress(context(), "db-0");
        const readUid = async () => (await readPod(context(), "db-0"))?.metadata?.uid;
        for (const [description, grace] of [
          ["deleted", undefined],
          ["forced away", 0],
        ] as const) {
          const uid = await readUid();
          await context().removeObject(toPodRef("db-0"), grace);
          assert.equal(
            await By(`${description}, and back`, () => readAddress(context(), "db-0", uid)),
            previous,
            `db-0, ${description}`,
          );
        }
        const firstNode = (await readPod(context(), "db-0"))?.spec?.nodeName ?? "";
        const cordon = (unschedulable: boolean) =>
          context().mergeObject({
            apiVersion: "v1",
            kind: "Node",
            metadata: { name: firstNode },
            spec: { unschedulable },
          });
        await cordon(true);
        DeferCleanup(() => cordon(false));
        const uid = await readUid();
        await context().removeObject(toPodRef("db-0"));
        assert.equal(
          await By("on another node", () => readAddress(context(), "db-0", uid)),
          previous,
          "db-0, elsewhere",
        );
        assert.notEqual((await readPod(context(), "db-0"))?.spec?.nodeName, firstNode);
        await scaleWorkload(context(), set, 1);
        await Eventually(
          "pods that are scaled down release their addresses",
          () => context().listHeldAddresses("steady"),
          (held) => held.length === 1 && held[0]?.address === previous,
          { timeout: 90_000, interval: 500 },
        );
        await removeAllPods(context(), set);
        await context().waitUntilEmpty("steady");
      },
    );

    It("a force-deleted pod that is recreated on another node keeps its address", { timeout: 300_000 }, async () => {
      const annotations = { "interlay.dev/ip": context().buildAddress(1, 9) };
      await createIpamPod(context(), "fixed", { network: "steady", node: getFirstWorker(), annotations });
      assert.equal(await readAddress(context(), "fixed"), context().buildAddress(1, 9));
      for (const worker of context().workers.slice(0, 2)) {
        await context().removeObject(toPodRef("fixed"), 0);
        await createIpamPod(context(), "fixed", { network: "steady", node: worker, annotations });
        assert.equal(
          await By(`recreated on ${worker}`, () => readAddress(context(), "fixed")),
          context().buildAddress(1, 9),
        );
        await assertAgreement(context());
      }
      await context().removeObject(toPodRef("fixed"));
      await context().waitUntilEmpty("steady");
    });

    It(
      "an address of another host is marked and reported, and the pod gets another one",
      { timeout: 300_000 },
      async () => {
        const externalHost = await context().cluster.external();
        if (externalHost === undefined) Skip("the cluster has no external host");
        const [freeAddress, ...heldAddresses] = [3, 1, 2].map((index) => context().buildAddress(2, index));
        for (const address of heldAddresses) {
          await externalHost.exec(["ip", "address", "add", `${address}/32`, "dev", "eth0"]);
          DeferCleanup(() => externalHost.exec(["ip", "address", "delete", `${address}/32`, "dev", "eth0"]));
        }
        const mac = (await externalHost.exec(["cat", "/sys/class/net/eth0/address"])).stdout.trim();
        await context().createPool(
          "wire",
          { ranges: [context().buildRange(2, 3)] },
          { conflictDetection: true, probeIntervalMs: 300 },
        );
        await createIpamPod(context(), "asks", { network: "wire", node: getFirstWorker() });
        assert.equal(await By("the pod runs", () => readAddress(context(), "asks")), freeAddress);
        await createIpamPod(context(), "none-left", { network: "wire", node: context().workers[1] ?? "" });
        const status = await Eventually(
          "the pool's status reports both",
          () => context().readPoolStatus("wire"),
          ({ conflicts }) => conflicts === 2,
          { timeout: 90_000 },
        );
        const message = status.conditions.find(({ type }) => type === "Conflicts")?.message ?? "";
        for (const address of heldAddresses) assert.ok(message.includes(`${address} (${mac})`), message);
        const { items } = await context().api.core.listNamespacedEvent({ namespace: IPAM_NAMESPACE });
        for (const address of heldAddresses)
          assert.ok(
            items.some(
              ({ reason, message = "" }) => reason === "AddressConflict" && message.includes(`${address} is in use`),
            ),
            `no Event reports ${address}`,
          );
        const listing = await runIpamCommand(context().cluster.kubeconfig, ["show", "--pool", "wire"]);
        assert.equal(listing.split("\n").filter((line) => line.includes(`conflict (${mac})`)).length, 2, listing);
        await By("the other host leaves, and the operator releases the addresses", async () => {
          for (const address of heldAddresses)
            await externalHost.exec(["ip", "address", "delete", `${address}/32`, "dev", "eth0"]);
          await runIpamCommand(context().cluster.kubeconfig, ["release", ...heldAddresses, "--yes"]);
        });
        assert.ok(heldAddresses.includes(await readAddress(context(), "none-left")));
        for (const name of ["asks", "none-left"]) await context().removeObject(toPodRef(name));
        await context().waitUntilEmpty("wire");
      },
    );

    It(
      "a pool that overlaps an earlier one allocates nothing; a smaller range drains",
      { timeout: 200_000 },
      async () => {
        await context().createPool("narrow", { ranges: [context().buildRange(4, 4)] });
        await createIpamPod(context(), "stays", {
          network: "narrow",
          annotations: { "interlay.dev/ip": context().buildAddress(4, 4) },
        });
        assert.equal(await readAddress(context(), "stays"), context().buildAddress(4, 4));
        await sleep(1100); // creation times are whole seconds
        await context().createPool("later", { ranges: [context().buildRange(4, 2)] });
        const readCondition = async (pool: string, type: string) =>
          (await context().readPoolStatus(pool)).conditions.find((candidate) => candidate.type === type);
        const expectCondition = (pool: string, type: string, status: string, message: RegExp) =>
          Eventually(
            `${pool} has condition ${type} ${status}`,
            () => readCondition(pool, type),
            (condition) => condition?.status === status && message.test(condition.message),
            { timeout: 30_000 },
          );
        await expectCondition("later", "Ready", "False", /overlap with those of the earlier UnderlayPool narrow/);
        await expectCondition("narrow", "Ready", "True", /./);
        await context().mergeObject({
          apiVersion: GROUP_VERSION,
          kind: "UnderlayPool",
          metadata: { name: "narrow" },
          spec: { ranges: [context().buildAddress(4, 3)] },
        });
        await expectCondition(
          "narrow",
          "Draining",
          "True",
          new RegExp(`^${context().buildAddress(4, 4)} of pod ${IPAM_NAMESPACE}/stays is no longer`),
        );
        await expectCondition("later", "Ready", "True", /./);
        await context().removeObject(toPodRef("stays"));
        await Eventually(
          "no address drains any more",
          () => context().readPoolStatus("narrow"),
          ({ draining, used, total }) => draining === 0 && used === 0 && total === 1,
          { timeout: 60_000 },
        );
      },
    );
  });
}

registerIfMain(import.meta.url, registerSpecs);
