import assert from "node:assert/strict";
import type { Kubectl } from "../../clusters/kubernetes/kubectl.ts";
import { API_GROUP, DEPRECATED_VERSION, STORED_VERSION, SYSTEM_NAMESPACE } from "../../plugin/kubernetes/objects.ts";
import { NOTRACK, type AgentFixture, setupAgentFixture } from "../agent/agent-fixture.ts";
import { assertStreamsSurvive, type StreamPath } from "../agent/streams.ts";
import { switchVariant } from "../deployment/variant.ts";
import { BeforeAll, By, DeferCleanup, Describe, Eventually, It, Skip } from "../harness.ts";
import { listPodIdentities, readAgentImage, waitForAgents } from "../install/agents.ts";
import { createKubectl } from "../install/create-kubectl.ts";
import { findOutdated, installCopies, provideVersion, removeNewer } from "../install/executables.ts";
import { InterlayCommand } from "../install/interlay-command.ts";
import { applyOverlay } from "../install/overlay.ts";
import { buildPreviousVersion, copyToNode, type PreviousVersion } from "../install/previous-version.ts";
import { listStoredVersions } from "../install/stored-versions.ts";
import { NAMESPACE } from "../pods/suite-pods.ts";
import { registerIfMain, type TestRun } from "../support/test-run.ts";

const PORT = 7320;
const POLL = { timeout: 110_000 };
/** Seconds that the connections last, longer than a replacement of all agents. */
const LINES = 120;
const TIMEOUT = { timeout: 900_000 };

/** Returns the kinds of the objects in the suite's deployment, each with the given version of the API. */
const listKinds = (version: string): readonly string[] =>
  ["NodeState", "UnderlayAddress", "UnderlayPool"].map((kind) => `${kind} ${API_GROUP}/${version}`);

/** The two specs depend on each other: the cluster goes to the previous version and back. */
export function registerSpecs(run: TestRun): void {
  Describe("install: downgrade to the previous version, and upgrade from it", { labels: ["install"] }, () => {
    let fixture: AgentFixture;
    let kubectl: Kubectl;
    let image: string;
    let interlay: InterlayCommand;
    let previous: PreviousVersion;
    const runOnAll = (work: (node: string) => Promise<unknown>) =>
      Promise.all(fixture.cluster.nodes.map(({ name }) => work(name)));
    const listAgents = () => listPodIdentities(fixture.api, SYSTEM_NAMESPACE, "app=interlay");

    BeforeAll(
      async () => {
        fixture = await setupAgentFixture(run);
        const { cluster } = fixture;
        if (cluster.provider !== "lab") Skip("only a lab's executables can be replaced");
        kubectl = await createKubectl(cluster);
        image = await readAgentImage(kubectl);
        interlay = new InterlayCommand(cluster);
        previous = await By("the previous version's executables", () => buildPreviousVersion());
        DeferCleanup(() => previous.remove());
        process.stdout.write(`      · previous version: commit ${previous.commit}\n`);
        await switchVariant(cluster, NOTRACK);
        await runOnAll((node) => installCopies(cluster, node));
        DeferCleanup(async () => {
          await runOnAll((node) => removeNewer(cluster, node));
          await applyOverlay(kubectl, "notrack", image);
          await waitForAgents(kubectl);
        });
      },
      { timeout: 900_000 },
    );

    It(
      "downgrade with objects of v1alpha1: no connection and no pod is lost, new connections pass",
      TIMEOUT,
      async () => {
        const { cluster } = fixture;
        await interlay.run(["migrate-storage", "--to", DEPRECATED_VERSION]);
        assert.deepEqual(await listStoredVersions(cluster), listKinds(DEPRECATED_VERSION));
        await By("the previous executables on every node", () =>
          runOnAll((node) =>
            provideVersion(cluster, node, (name, to) =>
              copyToNode(cluster, node, previous.executables[name] ?? "", to),
            ),
          ),
        );
        await replaceAgents(() => applyOverlay(kubectl, "notrack", `${image}-previous`, previous.deployDirectory));
      },
    );

    It("interlay install stores objects as v1beta1: no connection and no pod is lost", TIMEOUT, async () => {
      const { cluster } = fixture;
      await runOnAll((node) => removeNewer(cluster, node));
      await replaceAgents(async () => {
        await interlay.run(["install", "--image", `${image}-current`]);
      });
      assert.deepEqual(await listStoredVersions(cluster), listKinds(STORED_VERSION));
      const command = [
        "get",
        "crd",
        "--output",
        `jsonpath={.items[?(@.spec.group=='${API_GROUP}')].status.storedVersions}`,
      ];
      assert.deepEqual(new Set((await kubectl.run(command)).match(/v\w+/g)), new Set([STORED_VERSION]));
    });

    /** Replaces every agent by `apply` while connections run, and asserts that they, all pods and new connections work. */
    async function replaceAgents(apply: () => Promise<void>): Promise<void> {
      const { api, cluster } = fixture;
      const [agentsBefore, podsBefore] = [await listAgents(), await listPodIdentities(api, NAMESPACE, "probe")];
      const started = performance.now();
      let seconds = Infinity;
      await assertStreamsSurvive(cluster, await listStreams(), { lines: LINES, port: PORT }, async () => {
        await By("kubectl apply -k", apply);
        await waitForAgents(kubectl);
        seconds = (performance.now() - started) / 1000;
      });
      assert.ok(seconds < LINES, `the agents were replaced after ${seconds} s, and the connections had ended`);
      assert.ok((await listAgents()).every((agent) => !agentsBefore.includes(agent)));
      assert.deepEqual(await listPodIdentities(api, NAMESPACE, "probe"), podsBefore);
      assert.deepEqual((await runOnAll((node) => findOutdated(cluster, node))).flat(), []);
      const target = fixture.deployment.getAddress("overlay-2-b", "main");
      await Eventually(
        "an underlay pod reaches an overlay pod on the other node",
        () => fixture.canReach("underlay-1-a", target),
        (ok) => ok,
        POLL,
      );
    }

    async function listStreams(): Promise<readonly StreamPath[]> {
      const { findStreamEnd } = fixture;
      const [underlay, overlay] = [await findStreamEnd("underlay-1-a"), await findStreamEnd("overlay-1-a")];
      return [
        { name: "underlay -> overlay on the other node", client: underlay, server: await findStreamEnd("overlay-2-b") },
        {
          name: "overlay -> multi-NIC's net1 on the other node",
          client: overlay,
          server: await findStreamEnd("multi-nic-2-b", "net1"),
        },
        { name: "overlay -> underlay on the other node", client: overlay, server: await findStreamEnd("underlay-2-b") },
      ];
    }
  });
}

registerIfMain(import.meta.url, registerSpecs);
