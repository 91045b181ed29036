import assert from "node:assert/strict";
import { ensureDebianPackages } from "../clusters/components/packages.ts";
import { plainProgress } from "../clusters/progress-plain.ts";
import { type End, netnsOf, stream } from "./agent/streams.ts";
import { ACTIONS } from "./chaos/actions.ts";
import { check } from "./chaos/invariants.ts";
import { goes, type World } from "./chaos/world.ts";
import { clusterApi } from "./cluster-api.ts";
import { theCluster } from "./context.ts";
import { BeforeAll, By, DeferCleanup, Describe, Eventually, It } from "./harness.ts";
import { cells, type Nic } from "./matrix/cells.ts";
import type { Variant } from "./matrix/gate.ts";
import { DEFAULT_RUN, runCells } from "./matrix/run.ts";
import { switchTo } from "./matrix/variant.ts";
import { deploy } from "./pods/deploy.ts";
import { oneOf, randomOf } from "./random.ts";

const seed = Number(process.env["INTERLAY_SEED"] ?? Date.now() % 1_000_000);
const minutes = Number(process.env["INTERLAY_CHAOS_MINUTES"] ?? 2);
/** Regular expression over the actions' names: only those happen. */
const only =
  process.env["INTERLAY_CHAOS_ONLY"] === undefined ? undefined : new RegExp(process.env["INTERLAY_CHAOS_ONLY"]);
type Translated = "translated";
/** Both return paths pass here, so that switching between them breaks nothing. */
const VARIANT: Variant = { kubeProxy: { version: "v1.29.15", mode: "iptables" }, returnPath: "notrack" };

/** After each action so many cells are asked: addresses, Services and NodePorts by TCP, UDP and ICMP. */
const CELLS_ASKED = 30;
/** A kube-proxy that was killed has its rules looked through before it follows the pods again. */
const ANSWERS_MS = 60_000;

/** Other cells after each action, the same for the same seed; the actions' own dice are left alone. */
async function answer({ deployment }: World, action: number): Promise<void> {
  const all = cells(deployment.workers.length, deployment.families);
  const random = randomOf(seed + action);
  const asked = Array.from({ length: CELLS_ASKED }, () => oneOf(all, random));
  await Eventually(
    `${CELLS_ASKED} cells answer`,
    async () => {
      const results = await runCells(asked, VARIANT, deployment, DEFAULT_RUN);
      return asked.filter((_, index) => results[index]?.ok !== true).map(({ id }) => id);
    },
    (red) => red.length === 0,
    { timeout: ANSWERS_MS, interval: 500 },
  );
}

/**
 * Things go wrong, chosen by a seed, while long connections run and pods come and go; after each one the invariants hold
 * (chaos/invariants.ts), and at the end every cell passes and every connection has lived.
 */
Describe(`chaos: seed ${seed}, ${minutes} minutes`, { labels: ["chaos"] }, () => {
  let world: World;
  const did: string[] = [];

  BeforeAll(
    async () => {
      const cluster = await theCluster();
      if (cluster.provider === "lab") await ensureDebianPackages(["socat", "procps"], plainProgress());
      const api = clusterApi(cluster);
      const deployment = await By("the pods of the three types", () => deploy(cluster, api));
      DeferCleanup(() => deployment.closeProbers());
      const workers = deployment.workers;
      world = { cluster, api, deployment, workers, random: randomOf(seed), guests: new Map(), forgotten: new Set() };
      await By("kube-proxy v1.29.15, notrack", () => switchTo(cluster, VARIANT));
    },
    { timeout: 300_000 },
  );

  const end = async (pod: string, nic: Nic = "main"): Promise<End> => {
    const node = world.deployment.pods.get(pod)?.node ?? "";
    const address = world.deployment.addressOf(pod, nic);
    return { node, address, netns: await netnsOf(world.cluster, node, address) };
  };

  It(
    "the invariants hold after everything that happens, and connections live",
    { timeout: (minutes + 8) * 60_000 },
    async () => {
      await By("before anything happens", () => check(world));
      const ways: readonly (readonly [string, End, End, Translated?])[] = [
        ["underlay -> overlay on the other node", await end("underlay-1-a"), await end("overlay-2-b")],
        ["underlay -> multi-NIC on the other node", await end("underlay-1-a"), await end("multi-nic-2-b")],
        ["overlay -> overlay on the other node", await end("overlay-1-a"), await end("overlay-2-b")],
        // Calico's natOutgoing
        ["overlay -> underlay on the other node", await end("overlay-1-a"), await end("underlay-2-b"), "translated"],
        [
          "overlay -> net1 on the same node",
          await end("overlay-1-a"),
          await end("multi-nic-1-b", "net1"),
          "translated",
        ],
        ["multi-NIC -> underlay on the other node", await end("multi-nic-1-a"), await end("underlay-2-b")],
      ];
      const lines = minutes * 60;
      const streams = Promise.all(
        ways.map(async ([way, client, server, translated], index) => ({
          way,
          // What a node translates it finds back by its conntrack alone: a flush there ends it, with any CNI plugin.
          mayEnd: () => translated !== undefined && world.forgotten.has(client.node),
          got: await stream(world.cluster, { client, server }, lines, 7100 + index).catch((error: unknown) =>
            String(error),
          ),
        })),
      );
      // an error of theirs is told below, not while something else is waited for
      streams.catch(() => undefined);
      const possible = ACTIONS.filter(({ name, fits }) => (only?.test(name) ?? true) && (fits?.(world) ?? true));
      for (const until = Date.now() + minutes * 60_000; Date.now() < until;) {
        const { name, act } = oneOf(possible, world.random);
        const started = Date.now();
        const what = await By(`${did.length + 1}. ${name}`, () => act(world));
        await By(`the invariants after ${name} (seed ${seed}, action ${did.length + 1})`, () => check(world));
        await By(`cells asked at random after ${name} (seed ${seed}, action ${did.length + 1})`, () =>
          answer(world, did.length),
        );
        did.push(`${name}: ${what}`);
        process.stdout.write(`      · ${did.length}. ${name}: ${what}: well after ${Date.now() - started} ms\n`);
      }
      for (const { way, got, mayEnd } of await streams)
        if (!mayEnd()) assert.equal(got, lines, `${way} ended early, after: ${did.join("; ")}`);
    },
  );

  It("every cell passes afterwards", { timeout: 300_000 }, async () => {
    await switchTo(world.cluster, VARIANT);
    const all = cells(world.deployment.workers.length, world.deployment.families);
    const results = await runCells(all, VARIANT, world.deployment, DEFAULT_RUN);
    const red = all.filter((_, index) => results[index]?.ok !== true).map(({ id }) => id);
    assert.deepEqual(red, [], `seed ${seed}, after: ${did.join("; ")}`);
  });

  It("who came is gone without a trace", { timeout: 300_000 }, async () => {
    await Promise.all([...world.guests.values()].map((guest) => goes(world, guest)));
    await check(world);
  });
});
