import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { runOnNode, signalProcess } from "../support/agent-process.ts";
import { ensureObject } from "../support/cluster-api.ts";
import { By, Consistently, DeferCleanup, Describe, Eventually, It } from "../harness.ts";
import { type CallerPod, IpamCaller } from "../ipam/ipam-caller.ts";
import {
  assertAgreement,
  assertDistinct,
  EXACT_POOL,
  getAllocatedAddress,
  removeAllPods,
  setupIpamFixture,
} from "../ipam/ipam-fixture.ts";
import { killOldestAgent, startSecondAgent } from "../ipam/second-agent.ts";
import {
  readAddress,
  waitUntilGone,
  createIpamPod,
  toPodRef,
  readPod,
  waitForReplicas,
  rollOut,
  createWorkload,
} from "../ipam/ipam-workloads.ts";
import { type IpamContext, IPAM_NAMESPACE } from "../ipam/ipam-context.ts";
import type { KubeObject } from "../pods/kube-object.ts";
import { registerIfMain, type TestRun } from "../support/test-run.ts";

const findControlPlane = ({ cluster }: IpamContext): string =>
  cluster.nodes.find(({ role }) => role === "control-plane")?.name ?? "";
const signalApi = (context: IpamContext, signal: "STOP" | "CONT") =>
  signalProcess(context.cluster, findControlPlane(context), "kube-apiserver", signal);
const readCallerPod = async (context: IpamContext, name: string): Promise<CallerPod> => ({
  namespace: IPAM_NAMESPACE,
  name,
  uid: (await readPod(context, name))?.metadata?.uid ?? "",
});

/** API server and etcd killed or stopped, two agents at once, lost nodes: no address is lost or allocated twice. */
export function registerSpecs(run: TestRun): void {
  Describe("ipam: addresses survive failures", { labels: ["ipam", "chaos"] }, () => {
    const context = setupIpamFixture(run);
    const getNode = (): string => context().workers[0] ?? "";

    It("addresses are distinct while API server and etcd are killed", { timeout: 400_000 }, async () => {
      const strategy = { maxSurge: 0, maxUnavailable: EXACT_POOL };
      const web = createWorkload(context(), "Deployment", "storm", {
        network: "exact",
        replicas: EXACT_POOL,
        strategy,
      });
      await ensureObject(context().api, web);
      const kill = async (): Promise<void> => {
        for (const pattern of ["kube-apiserver", "etcd --", "kube-apiserver"]) {
          await signalProcess(context().cluster, findControlPlane(context()), pattern, "KILL").catch(() => undefined); // not up again yet
          await sleep(2500);
        }
      };
      await By("killed during allocation", kill);
      assertDistinct(await By("all run", () => waitForReplicas(context(), web, EXACT_POOL)));
      await rollOut(context(), web, "again");
      await By("killed during release and allocation", kill);
      assertDistinct(await By("all run again", () => waitForReplicas(context(), web, EXACT_POOL)));
      await assertAgreement(context());
      assert.equal((await context().listHeldAddresses("exact")).length, EXACT_POOL);
      await removeAllPods(context(), web);
      await context().waitUntilEmpty("exact");
    });

    It(
      "without API server a pod keeps its address, and new pods get one of the reserve or wait",
      { timeout: 300_000 },
      async () => {
        await context().createPool("reserve", { ranges: [context().buildRange(3, 9)], reservePerNode: 1 });
        const reserved = await Eventually(
          "each worker has one address in reserve",
          () => context().listHeldAddresses("reserve"),
          (held) =>
            context().workers.every(
              (name) => held.filter((entry) => entry.node === name && entry.reserve).length === 1,
            ),
          { timeout: 60_000 },
        );
        await createIpamPod(context(), "old", { network: "steady", node: getNode() });
        const address = await readAddress(context(), "old");
        await createIpamPod(context(), "new", { network: "none", node: getNode(), hostNetwork: true });
        await readAddress(context(), "new");
        const [oldPod, newPod] = [await readCallerPod(context(), "old"), await readCallerPod(context(), "new")];
        const caller = new IpamCaller(context().cluster, getNode());
        await signalApi(context(), "STOP");
        const [repeatedCall, reserveCall, waitingCall] = await By("three calls without API server", async () => {
          try {
            return await Promise.all([
              caller.add("steady", "again", oldPod),
              caller.add("reserve", "fresh", newPod, "net8"),
              caller.add("steady", "waits", newPod, "net9"),
            ]);
          } finally {
            await signalApi(context(), "CONT");
          }
        });
        assert.equal(getAllocatedAddress(repeatedCall), address, "the pod's own address");
        assert.ok(
          repeatedCall.milliseconds < 5000,
          `from the local record, but it took ${repeatedCall.milliseconds} ms`,
        );
        assert.equal(
          getAllocatedAddress(reserveCall),
          reserved.find((entry) => entry.node === getNode() && entry.reserve)?.address,
        );
        assert.ok("code" in waitingCall && waitingCall.code === 11, `not a guess: ${JSON.stringify(waitingCall)}`);
        await Eventually(
          "the objects are updated, and the reserve is filled again",
          () => context().listHeldAddresses("reserve"),
          (held) =>
            held.some(
              (entry) =>
                entry.address === getAllocatedAddress(reserveCall) &&
                entry.pod.uid === newPod.uid &&
                entry.reserve !== true,
            ) && held.filter((entry) => entry.node === getNode() && entry.reserve).length === 1,
          { timeout: 60_000 },
        );
        await caller.delete("reserve", "fresh", newPod, "net8");
        await caller.delete("steady", "waits", newPod, "net9");
        await caller.delete("steady", "again", oldPod);
        for (const name of ["old", "new"]) await context().removeObject(toPodRef(name));
        await context().waitUntilEmpty("reserve");
        await context().waitUntilEmpty("steady");
      },
    );

    It(
      "every call is answered with two agents on a node, and after either is killed",
      { timeout: 300_000 },
      async () => {
        await createIpamPod(context(), "idle", { network: "none", node: getNode(), hostNetwork: true });
        await readAddress(context(), "idle");
        const pod = await readCallerPod(context(), "idle");
        const caller = new IpamCaller(context().cluster, getNode());
        const previous = getAllocatedAddress(await caller.add("steady", "c0", pod));
        await startSecondAgent(context(), getNode());
        for (let call = 1; call <= 3; call++)
          assert.equal(
            getAllocatedAddress(await caller.add("steady", `c${call}`, pod)),
            previous,
            "with a second agent",
          );
        for (const order of ["first", "second"]) {
          await By(`the ${order} agent is killed`, () => killOldestAgent(context(), getNode()));
          assert.equal(
            getAllocatedAddress(await caller.add("steady", `after-${order}`, pod)),
            previous,
            `after the ${order} agent`,
          );
        }
        assert.equal((await context().listHeldAddresses("steady")).length, 1);
        for (const container of ["c0", "c1", "c2", "c3", "after-first", "after-second"])
          await caller.delete("steady", container, pod);
        await context().removeObject(toPodRef("idle"));
        await waitUntilGone(context(), "idle");
        await context().waitUntilEmpty("steady");
      },
    );

    It(
      "addresses of a deleted node are released, its reserve after the longer delay",
      { timeout: 300_000 },
      async () => {
        const ghostNode: KubeObject = {
          apiVersion: "v1",
          kind: "Node",
          metadata: { name: "ghost" },
          status: { conditions: [{ type: "Ready", status: "True", lastHeartbeatTime: new Date() }] },
        };
        await ensureObject(context().api, ghostNode);
        DeferCleanup(() => context().removeObject(ghostNode));
        const missingPod = {
          namespace: IPAM_NAMESPACE,
          name: "was-there",
          uid: "11111111-1111-1111-1111-111111111111",
        };
        const holder = { pool: "steady", node: "ghost", pod: missingPod };
        await context().holdAddress({ ...holder, address: context().buildAddress(1, 1), containerId: "gone" });
        await context().holdAddress({
          ...holder,
          address: context().buildAddress(1, 2),
          containerId: "",
          reserve: true,
        });
        await Consistently(
          "the addresses of a healthy node stay",
          () => context().listHeldAddresses("steady"),
          (held) => held.length === 2,
          { timeout: 15_000, interval: 1000 },
        );
        await context().removeObject(ghostNode);
        await Eventually(
          "both are released",
          () => context().listHeldAddresses("steady"),
          (held) => held.length === 0,
          { timeout: 90_000, interval: 500 },
        );
      },
    );

    It("objects, records and links agree after all faults, and no file is left", async () => {
      await assertAgreement(context());
      for (const name of context().workers)
        assert.equal(
          await runOnNode(context().cluster, name, ["find", "/var/lib/interlay/conflicts", "-type", "f"]).catch(
            () => "",
          ),
          "",
        );
    });
  });
}

registerIfMain(import.meta.url, registerSpecs);
