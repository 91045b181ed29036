import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { ensureObject } from "../support/cluster-api.ts";
import { By, DeferCleanup, Describe, Eventually, It, Skip } from "../harness.ts";
import { runIpam } from "../ipam/command.ts";
import { assertAgreement, assertDistinct, EXACT_POOL, removeAllPods, setupIpamFixture } from "../ipam/fixture.ts";
import {
  readAddress,
  createPod,
  toPodRef,
  readPod,
  waitForRollout,
  rollOut,
  scaleWorkload,
  createWorkload,
} from "../ipam/workloads.ts";
import { NAMESPACE } from "../ipam/context.ts";
import { registerIfMain, type TestRun } from "../support/test-run.ts";

/** Underlay addresses in a real cluster: they stay with their pods, and nobody has one twice. */
export function registerSpecs(run: TestRun): void {
  Describe("ipam: addresses stay with their pods", { labels: ["ipam"] }, () => {
    const world = setupIpamFixture(run);
    const first = (): string => world().workers[0] ?? "";

    It("a Deployment rolls out with exactly as many addresses as replicas", { timeout: 300_000 }, async () => {
      const strategy = { maxSurge: 0, maxUnavailable: 3 };
      const web = createWorkload(world(), "Deployment", "web", { network: "exact", replicas: EXACT_POOL, strategy });
      await ensureObject(world().api, web);
      const all = Array.from({ length: EXACT_POOL }, (_, index) => world().at(0, index + 1));
      assert.deepEqual(await By("made", () => waitForRollout(world(), web, EXACT_POOL)), all);
      for (const mark of ["second", "third"]) {
        await rollOut(world(), web, mark);
        assert.deepEqual(await By(`the ${mark} rollout`, () => waitForRollout(world(), web, EXACT_POOL)), all);
      }
      await removeAllPods(world(), web);
      await world().isEmpty("exact");
    });

    It("a Deployment's pods keep to the set that its template names", { timeout: 300_000 }, async () => {
      const annotations = { "interlay.dev/ip": world().range(1, 4) };
      const strategy = { maxSurge: 1, maxUnavailable: 0 };
      const set = createWorkload(world(), "Deployment", "set", {
        network: "steady",
        replicas: 3,
        strategy,
        annotations,
      });
      const may = new Set(Array.from({ length: 4 }, (_, index) => world().at(1, index + 1)));
      const inSet = (addresses: readonly string[]): void => {
        assertDistinct(addresses);
        assert.ok(
          addresses.every((one) => may.has(one)),
          `${addresses.join(", ")} are not all in ${[...may].join(", ")}`,
        );
      };
      await ensureObject(world().api, set);
      inSet(await By("made", () => waitForRollout(world(), set, 3)));
      await rollOut(world(), set, "second");
      // Not any that is held: the pod that went may hold its own for a moment more.
      const staying = await By("rolled out, with one pod more for a while", () => waitForRollout(world(), set, 3));
      inSet(staying);
      const [taken = ""] = staying;
      await createPod(world(), "late", { network: "steady", annotations: { "interlay.dev/ip": taken } });
      await Eventually(
        "an Event on a pod that asks for a taken address names the holder",
        () => world().api.core.listNamespacedEvent({ namespace: NAMESPACE }),
        ({ items }) =>
          items.some(
            ({ involvedObject, reason, message = "" }) =>
              involvedObject.name === "late" &&
              reason === "NoUnderlayAddress" &&
              message.includes(
                `address ${taken} requested by eth0 of pod ${NAMESPACE}/late is held by pod ${NAMESPACE}/set-`,
              ),
          ),
      );
      await world().remove(toPodRef("late"));
      await removeAllPods(world(), set);
      await world().isEmpty("steady");
    });

    It("a StatefulSet's pods keep theirs: restart, force, another node, scaling", { timeout: 400_000 }, async () => {
      const set = createWorkload(world(), "StatefulSet", "db", { network: "steady", replicas: 2 });
      await ensureObject(world().api, set);
      await waitForRollout(world(), set, 2);
      const was = await readAddress(world(), "db-0");
      const before = async () => (await readPod(world(), "db-0"))?.metadata?.uid;
      for (const [how, grace] of [
        ["deleted", undefined],
        ["forced away", 0],
      ] as const) {
        const uid = await before();
        await world().remove(toPodRef("db-0"), grace);
        assert.equal(await By(`${how}, and back`, () => readAddress(world(), "db-0", uid)), was, `db-0, ${how}`);
      }
      const earlier = (await readPod(world(), "db-0"))?.spec?.nodeName ?? "";
      const cordon = (unschedulable: boolean) =>
        world().merge({ apiVersion: "v1", kind: "Node", metadata: { name: earlier }, spec: { unschedulable } });
      await cordon(true);
      DeferCleanup(() => cordon(false));
      const uid = await before();
      await world().remove(toPodRef("db-0"));
      assert.equal(await By("on another node", () => readAddress(world(), "db-0", uid)), was, "db-0, elsewhere");
      assert.notEqual((await readPod(world(), "db-0"))?.spec?.nodeName, earlier);
      await scaleWorkload(world(), set, 1);
      await Eventually(
        "what is scaled away gives its address back",
        () => world().held("steady"),
        (held) => held.length === 1 && held[0]?.address === was,
        { timeout: 90_000, interval: 500 },
      );
      await removeAllPods(world(), set);
      await world().isEmpty("steady");
    });

    It("a force-deleted pod that is recreated on another node keeps its address", { timeout: 300_000 }, async () => {
      const annotations = { "interlay.dev/ip": world().at(1, 9) };
      await createPod(world(), "fixed", { network: "steady", node: first(), annotations });
      assert.equal(await readAddress(world(), "fixed"), world().at(1, 9));
      for (const where of world().workers.slice(0, 2)) {
        await world().remove(toPodRef("fixed"), 0);
        await createPod(world(), "fixed", { network: "steady", node: where, annotations });
        assert.equal(await By(`recreated on ${where}`, () => readAddress(world(), "fixed")), world().at(1, 9));
        await assertAgreement(world());
      }
      await world().remove(toPodRef("fixed"));
      await world().isEmpty("steady");
    });

    It(
      "an address of another host is marked and reported, and the pod gets another one",
      { timeout: 300_000 },
      async () => {
        const stranger = await world().cluster.external();
        if (stranger === undefined) Skip("the cluster has no host outside");
        const [mine, ...theirs] = [3, 1, 2].map((index) => world().at(2, index));
        for (const address of theirs) {
          await stranger.exec(["ip", "address", "add", `${address}/32`, "dev", "eth0"]);
          DeferCleanup(() => stranger.exec(["ip", "address", "delete", `${address}/32`, "dev", "eth0"]));
        }
        const mac = (await stranger.exec(["cat", "/sys/class/net/eth0/address"])).stdout.trim();
        await world().pool(
          "wire",
          { ranges: [world().range(2, 3)] },
          { conflictDetection: true, probeIntervalMs: 300 },
        );
        await createPod(world(), "asks", { network: "wire", node: first() });
        assert.equal(await By("the pod runs", () => readAddress(world(), "asks")), mine);
        await createPod(world(), "none-left", { network: "wire", node: world().workers[1] ?? "" });
        const status = await Eventually(
          "the pool's status reports both",
          () => world().status("wire"),
          ({ conflicts }) => conflicts === 2,
          { timeout: 90_000 },
        );
        const told = status.conditions.find(({ type }) => type === "Conflicts")?.message ?? "";
        for (const address of theirs) assert.ok(told.includes(`${address} (${mac})`), told);
        const { items } = await world().api.core.listNamespacedEvent({ namespace: NAMESPACE });
        for (const address of theirs)
          assert.ok(
            items.some(
              ({ reason, message = "" }) => reason === "AddressConflict" && message.includes(`${address} is in use`),
            ),
            `no Event reports ${address}`,
          );
        const show = await runIpam(world().cluster.kubeconfig, ["show", "--pool", "wire"]);
        assert.equal(show.split("\n").filter((line) => line.includes(`conflict (${mac})`)).length, 2, show);
        await By("the stranger leaves, and the operator lets them go", async () => {
          for (const address of theirs)
            await stranger.exec(["ip", "address", "delete", `${address}/32`, "dev", "eth0"]);
          await runIpam(world().cluster.kubeconfig, ["release", ...theirs, "--yes"]);
        });
        assert.ok(theirs.includes(await readAddress(world(), "none-left")));
        for (const name of ["asks", "none-left"]) await world().remove(toPodRef(name));
        await world().isEmpty("wire");
      },
    );

    It("a pool that overlaps an earlier one gives nothing; one made smaller drains", { timeout: 200_000 }, async () => {
      await world().pool("narrow", { ranges: [world().range(4, 4)] });
      await createPod(world(), "stays", { network: "narrow", annotations: { "interlay.dev/ip": world().at(4, 4) } });
      assert.equal(await readAddress(world(), "stays"), world().at(4, 4));
      await sleep(1100); // creation times are whole seconds
      await world().pool("later", { ranges: [world().range(4, 2)] });
      const told = async (pool: string, type: string) =>
        (await world().status(pool)).conditions.find((one) => one.type === type);
      const is = (pool: string, type: string, status: string, message: RegExp) =>
        Eventually(
          `${pool} says ${type}: ${status}`,
          () => told(pool, type),
          (one) => one?.status === status && message.test(one.message),
          { timeout: 30_000 },
        );
      await is("later", "Ready", "False", /overlap with those of the earlier UnderlayPool narrow/);
      await is("narrow", "Ready", "True", /./);
      await world().merge({
        apiVersion: "interlay.dev/v1alpha1",
        kind: "UnderlayPool",
        metadata: { name: "narrow" },
        spec: { ranges: [world().at(4, 3)] },
      });
      await is("narrow", "Draining", "True", new RegExp(`^${world().at(4, 4)} of pod ${NAMESPACE}/stays is no longer`));
      await is("later", "Ready", "True", /./);
      await world().remove(toPodRef("stays"));
      await Eventually(
        "nothing drains any more",
        () => world().status("narrow"),
        ({ draining, used, total }) => draining === 0 && used === 0 && total === 1,
        { timeout: 60_000 },
      );
    });
  });
}

registerIfMain(import.meta.url, registerSpecs);
