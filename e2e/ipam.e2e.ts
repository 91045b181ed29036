import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { ensureDebianPackages } from "../clusters/components/packages.ts";
import { plainProgress } from "../clusters/progress-plain.ts";
import { must, signalProcess } from "./agent-process.ts";
import { clusterApi, ensure } from "./cluster-api.ts";
import { theCluster } from "./context.ts";
import { BeforeAll, By, Consistently, DeferCleanup, Describe, Eventually, It } from "./harness.ts";
import { type Answer, type Caller, Calls } from "./ipam/calls.ts";
import { checkAddresses, runIpam } from "./ipam/command.ts";
import { oldestAgent, secondAgent } from "./ipam/second-agent.ts";
import {
  addressOf,
  isGone,
  makePod,
  podRef,
  readPod,
  rolledOut,
  rollOut,
  scale,
  type Workload,
  workload,
} from "./ipam/workloads.ts";
import { IpamWorld, type KubeObject, NAMESPACE } from "./ipam/world.ts";

const EXACT = 6;

/** Underlay addresses in a real cluster: never given twice, never lost, whatever happens to API server, etcd, agents and nodes. */
Describe("ipam: addresses stay with their pods", { labels: ["ipam"] }, () => {
  let world: IpamWorld;
  let node = "";
  let other = "";
  const controlPlane = (): string => world.cluster.nodes.find(({ role }) => role === "control-plane")?.name ?? "";
  const signalApi = (signal: "STOP" | "CONT" | "KILL") =>
    signalProcess(world.cluster, controlPlane(), "kube-apiserver", signal);
  const distinct = (addresses: readonly string[]): void => {
    assert.equal(new Set(addresses).size, addresses.length, `the same twice: ${addresses.join(", ")}`);
  };
  const remove = async (object: Workload): Promise<void> => {
    await scale(world, object, 0);
    await rolledOut(world, object, 0);
    await world.remove(object);
  };
  const agreed = () =>
    Eventually(
      "objects, records and links agree",
      () => checkAddresses(world),
      (found) => found.length === 0,
      { timeout: 60_000, interval: 1000 },
    );
  const asCaller = async (name: string): Promise<Caller> => ({
    ...{ namespace: NAMESPACE, name, uid: (await readPod(world, name))?.metadata?.uid ?? "" },
  });
  const given = (answer: Answer): string => {
    assert.ok("address" in answer, `refused: ${JSON.stringify(answer)}`);
    return answer.address;
  };

  BeforeAll(
    async () => {
      const cluster = await theCluster();
      if (cluster.provider === "lab") await ensureDebianPackages(["procps"], plainProgress());
      world = await IpamWorld.make(cluster, clusterApi(cluster));
      [node = "", other = ""] = world.workers;
      await world.pool("exact", { ranges: [world.range(0, EXACT)] });
      await world.pool("steady", { ranges: [world.range(1, 9)] });
    },
    { timeout: 120_000 },
  );

  It("a Deployment rolls out with exactly as many addresses as replicas", { timeout: 300_000 }, async () => {
    const strategy = { maxSurge: 0, maxUnavailable: 3 };
    const web = workload(world, "Deployment", "web", { network: "exact", replicas: EXACT, strategy });
    await ensure(world.api, web);
    const all = Array.from({ length: EXACT }, (_, index) => world.at(0, index + 1));
    assert.deepEqual(await By("made", () => rolledOut(world, web, EXACT)), all);
    for (const mark of ["second", "third"]) {
      await rollOut(world, web, mark);
      assert.deepEqual(await By(`the ${mark} rollout`, () => rolledOut(world, web, EXACT)), all);
    }
    await remove(web);
    await world.isEmpty("exact");
  });

  It("a Deployment's pods keep to the set that its template names", { timeout: 300_000 }, async () => {
    const annotations = { "interlay.dev/ip": world.range(1, 4) };
    const strategy = { maxSurge: 1, maxUnavailable: 0 };
    const set = workload(world, "Deployment", "set", { network: "steady", replicas: 3, strategy, annotations });
    const may = new Set(Array.from({ length: 4 }, (_, index) => world.at(1, index + 1)));
    const inSet = (addresses: readonly string[]): void => {
      distinct(addresses);
      assert.ok(
        addresses.every((one) => may.has(one)),
        `${addresses.join(", ")} are not all in ${[...may].join(", ")}`,
      );
    };
    await ensure(world.api, set);
    inSet(await By("made", () => rolledOut(world, set, 3)));
    await rollOut(world, set, "second");
    inSet(await By("rolled out, with one pod more for a while", () => rolledOut(world, set, 3)));
    const [taken = ""] = (await world.held("steady")).map(({ address }) => address);
    await makePod(world, "late", { network: "steady", annotations: { "interlay.dev/ip": taken } });
    await Eventually(
      "an Event on a pod that asks for a taken address names the holder",
      () => world.api.core.listNamespacedEvent({ namespace: NAMESPACE }),
      ({ items }) =>
        items.some(
          ({ involvedObject, reason, message = "" }) =>
            involvedObject.name === "late" &&
            reason === "NoUnderlayAddress" &&
            message.includes(
              `${taken}, which eth0 of pod ${NAMESPACE}/late asks for, is held by pod ${NAMESPACE}/set-`,
            ),
        ),
    );
    await world.remove(podRef("late"));
    await remove(set);
    await world.isEmpty("steady");
  });

  It("a StatefulSet's pods keep theirs: restart, force, another node, scaling", { timeout: 400_000 }, async () => {
    const set = workload(world, "StatefulSet", "db", { network: "steady", replicas: 2 });
    await ensure(world.api, set);
    await rolledOut(world, set, 2);
    const first = await addressOf(world, "db-0");
    const before = async () => (await readPod(world, "db-0"))?.metadata?.uid;
    for (const [how, grace] of [
      ["deleted", undefined],
      ["forced away", 0],
    ] as const) {
      const uid = await before();
      await world.remove(podRef("db-0"), grace);
      assert.equal(await By(`${how}, and back`, () => addressOf(world, "db-0", uid)), first, `db-0, ${how}`);
    }
    const was = (await readPod(world, "db-0"))?.spec?.nodeName ?? "";
    const cordon = (unschedulable: boolean) =>
      world.merge({ apiVersion: "v1", kind: "Node", metadata: { name: was }, spec: { unschedulable } });
    await cordon(true);
    DeferCleanup(() => cordon(false));
    const uid = await before();
    await world.remove(podRef("db-0"));
    assert.equal(await By("on another node", () => addressOf(world, "db-0", uid)), first, "db-0, elsewhere");
    assert.notEqual((await readPod(world, "db-0"))?.spec?.nodeName, was);
    await scale(world, set, 1);
    await Eventually(
      "what is scaled away gives its address back",
      () => world.held("steady"),
      (held) => held.length === 1 && held[0]?.address === first,
      { timeout: 90_000, interval: 500 },
    );
    await remove(set);
    await world.isEmpty("steady");
  });

  It(
    "a pod forced away and made anew at once, elsewhere, has its address, and it alone",
    { timeout: 300_000 },
    async () => {
      const annotations = { "interlay.dev/ip": world.at(1, 9) };
      await makePod(world, "fixed", { network: "steady", node, annotations });
      assert.equal(await addressOf(world, "fixed"), world.at(1, 9));
      for (const where of [node, other]) {
        await world.remove(podRef("fixed"), 0);
        await makePod(world, "fixed", { network: "steady", node: where, annotations });
        assert.equal(await By(`made anew on ${where}`, () => addressOf(world, "fixed")), world.at(1, 9));
        await agreed();
      }
      await world.remove(podRef("fixed"));
      await world.isEmpty("steady");
    },
  );

  It("what another host answers for is marked and told, and the pod gets another", { timeout: 300_000 }, async () => {
    const stranger = await world.cluster.external();
    const [mine, ...theirs] = [3, 1, 2].map((index) => world.at(2, index));
    for (const address of theirs) {
      await stranger.exec(["ip", "address", "add", `${address}/32`, "dev", "eth0"]);
      DeferCleanup(() => stranger.exec(["ip", "address", "delete", `${address}/32`, "dev", "eth0"]));
    }
    const mac = (await stranger.exec(["cat", "/sys/class/net/eth0/address"])).stdout.trim();
    await world.pool("wire", { ranges: [world.range(2, 3)] }, { conflictDetection: true, probeIntervalMs: 300 });
    await makePod(world, "asks", { network: "wire", node });
    assert.equal(await By("the pod runs", () => addressOf(world, "asks")), mine);
    await makePod(world, "none-left", { network: "wire", node: other });
    const status = await Eventually(
      "the pool's status tells of both",
      () => world.status("wire"),
      ({ conflicts }) => conflicts === 2,
      { timeout: 90_000 },
    );
    const told = status.conditions.find(({ type }) => type === "Conflicts")?.message ?? "";
    for (const address of theirs) assert.ok(told.includes(`${address} (${mac})`), told);
    const { items } = await world.api.core.listNamespacedEvent({ namespace: NAMESPACE });
    for (const address of theirs)
      assert.ok(
        items.some(
          ({ reason, message = "" }) => reason === "AddressConflict" && message.includes(`${address} is in use`),
        ),
        `no Event tells of ${address}`,
      );
    const show = await runIpam(world.cluster.kubeconfig, ["show", "--pool", "wire"]);
    assert.equal(show.split("\n").filter((line) => line.includes(`conflict (${mac})`)).length, 2, show);
    await By("the stranger leaves, and the operator lets them go", async () => {
      for (const address of theirs) await stranger.exec(["ip", "address", "delete", `${address}/32`, "dev", "eth0"]);
      await runIpam(world.cluster.kubeconfig, ["release", ...theirs, "--yes"]);
    });
    assert.ok(theirs.includes(await addressOf(world, "none-left")));
    for (const name of ["asks", "none-left"]) await world.remove(podRef(name));
    await world.isEmpty("wire");
  });

  It("API server and etcd are killed while addresses are given and taken back", { timeout: 400_000 }, async () => {
    const strategy = { maxSurge: 0, maxUnavailable: EXACT };
    const web = workload(world, "Deployment", "storm", { network: "exact", replicas: EXACT, strategy });
    await ensure(world.api, web);
    const kill = async (): Promise<void> => {
      for (const pattern of ["kube-apiserver", "etcd --", "kube-apiserver"]) {
        await signalProcess(world.cluster, controlPlane(), pattern, "KILL").catch(() => undefined); // not up again yet
        await sleep(2500);
      }
    };
    await By("killed while they are given", kill);
    distinct(await By("all run", () => rolledOut(world, web, EXACT)));
    await rollOut(world, web, "again");
    await By("killed while they are taken back and given", kill);
    distinct(await By("all run again", () => rolledOut(world, web, EXACT)));
    await agreed();
    assert.equal((await world.held("exact")).length, EXACT);
    await remove(web);
    await world.isEmpty("exact");
  });

  It(
    "API server away: a pod's next container has its address; new pods get the reserve's, or wait",
    { timeout: 300_000 },
    async () => {
      await world.pool("reserve", { ranges: [world.range(3, 9)], reservePerNode: 1 });
      const reserved = await Eventually(
        "each worker has one in reserve",
        () => world.held("reserve"),
        (held) => world.workers.every((name) => held.filter((one) => one.node === name && one.reserve).length === 1),
        { timeout: 60_000 },
      );
      await makePod(world, "old", { network: "steady", node });
      const address = await addressOf(world, "old");
      await makePod(world, "new", { network: "none", node, hostNetwork: true });
      await addressOf(world, "new");
      const [old, fresh] = [await asCaller("old"), await asCaller("new")];
      const calls = new Calls(world.cluster, node);
      await signalApi("STOP");
      const [again, ofReserve, waits] = await By("three calls, while nobody answers", async () => {
        try {
          return await Promise.all([
            calls.add("steady", "again", old),
            calls.add("reserve", "fresh", fresh, "net8"),
            calls.add("steady", "waits", fresh, "net9"),
          ]);
        } finally {
          await signalApi("CONT");
        }
      });
      assert.equal(given(again), address, "the pod's own address");
      assert.ok(again.milliseconds < 5000, `from the local record, but it took ${again.milliseconds} ms`);
      assert.equal(given(ofReserve), reserved.find((one) => one.node === node && one.reserve)?.address);
      assert.ok("code" in waits && waits.code === 11, `not a guess: ${JSON.stringify(waits)}`);
      await Eventually(
        "the API server is told, and the reserve is filled again",
        () => world.held("reserve"),
        (held) =>
          held.some((one) => one.address === given(ofReserve) && one.pod.uid === fresh.uid && one.reserve !== true) &&
          held.filter((one) => one.node === node && one.reserve).length === 1,
        { timeout: 60_000 },
      );
      await calls.delete("reserve", "fresh", fresh, "net8");
      await calls.delete("steady", "waits", fresh, "net9");
      await calls.delete("steady", "again", old);
      for (const name of ["old", "new"]) await world.remove(podRef(name));
      await world.isEmpty("reserve");
      await world.isEmpty("steady");
    },
  );

  It("two agents on a node, and then the other one: every call is answered", { timeout: 300_000 }, async () => {
    await makePod(world, "idle", { network: "none", node, hostNetwork: true });
    await addressOf(world, "idle");
    const pod = await asCaller("idle");
    const calls = new Calls(world.cluster, node);
    const first = given(await calls.add("steady", "c0", pod));
    await secondAgent(world, node);
    for (let call = 1; call <= 3; call++)
      assert.equal(given(await calls.add("steady", `c${call}`, pod)), first, "beside the second agent");
    for (const which of ["first", "second"]) {
      await By(`the ${which} agent is killed`, () => oldestAgent(world, node, "KILL"));
      assert.equal(given(await calls.add("steady", `after-${which}`, pod)), first, `after the ${which} agent`);
    }
    assert.equal((await world.held("steady")).length, 1);
    for (const container of ["c0", "c1", "c2", "c3", "after-first", "after-second"])
      await calls.delete("steady", container, pod);
    await world.remove(podRef("idle"));
    await isGone(world, "idle");
    await world.isEmpty("steady");
  });

  It(
    "what a node held goes back when the node is gone, its reserve after the longer delay",
    { timeout: 300_000 },
    async () => {
      const ghost: KubeObject = {
        apiVersion: "v1",
        kind: "Node",
        metadata: { name: "ghost" },
        status: { conditions: [{ type: "Ready", status: "True", lastHeartbeatTime: new Date() }] },
      };
      await ensure(world.api, ghost);
      DeferCleanup(() => world.remove(ghost));
      const nobody = { namespace: NAMESPACE, name: "was-there", uid: "11111111-1111-1111-1111-111111111111" };
      const on = { pool: "steady", node: "ghost", pod: nobody };
      await world.hold({ ...on, address: world.at(1, 1), containerId: "gone" });
      await world.hold({ ...on, address: world.at(1, 2), containerId: "", reserve: true });
      await Consistently(
        "a node that is well looks after its own",
        () => world.held("steady"),
        (held) => held.length === 2,
        { timeout: 15_000, interval: 1000 },
      );
      await world.remove(ghost);
      await Eventually(
        "both go back",
        () => world.held("steady"),
        (held) => held.length === 0,
        { timeout: 90_000, interval: 500 },
      );
    },
  );

  It("a pool that overlaps an earlier one gives nothing; one made smaller drains", { timeout: 200_000 }, async () => {
    await world.pool("narrow", { ranges: [world.range(4, 4)] });
    await makePod(world, "stays", { network: "narrow", annotations: { "interlay.dev/ip": world.at(4, 4) } });
    assert.equal(await addressOf(world, "stays"), world.at(4, 4));
    await sleep(1100); // creation times are whole seconds
    await world.pool("later", { ranges: [world.range(4, 2)] });
    const told = async (pool: string, type: string) =>
      (await world.status(pool)).conditions.find((one) => one.type === type);
    const is = (pool: string, type: string, status: string, message: RegExp) =>
      Eventually(
        `${pool} says ${type}: ${status}`,
        () => told(pool, type),
        (one) => one?.status === status && message.test(one.message),
        { timeout: 30_000 },
      );
    await is("later", "Ready", "False", /overlap with those of the earlier UnderlayPool narrow/);
    await is("narrow", "Ready", "True", /./);
    await world.merge({
      ...{ apiVersion: "interlay.dev/v1alpha1", kind: "UnderlayPool", metadata: { name: "narrow" } },
      spec: { ranges: [world.at(4, 3)] },
    });
    await is("narrow", "Draining", "True", new RegExp(`^${world.at(4, 4)} of pod ${NAMESPACE}/stays is no longer`));
    await is("later", "Ready", "True", /./);
    await world.remove(podRef("stays"));
    await Eventually(
      "nothing drains any more",
      () => world.status("narrow"),
      ({ draining, used, total }) => draining === 0 && used === 0 && total === 1,
      { timeout: 60_000 },
    );
  });

  It("after all that, objects, records and links agree, and no file is left", async () => {
    await agreed();
    for (const name of world.workers)
      assert.equal(
        await must(world.cluster, name, ["find", "/var/lib/interlay/conflicts", "-type", "f"]).catch(() => ""),
        "",
      );
  });
});
