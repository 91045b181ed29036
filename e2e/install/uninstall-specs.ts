import assert from "node:assert/strict";
import { getStatusCode } from "../../clusters/kubernetes/status-code.ts";
import { diffLines } from "../existing-cluster/cluster-state.ts";
import { By, Eventually } from "../harness.ts";
import { NAMESPACE } from "../pods/suite-pods.ts";
import { KEPT_DIRECTORIES, readBareNodes, readSettledNodes } from "./bare-nodes.ts";
import { POLL, type SequenceSpec } from "./install-context.ts";
import { runUninstall } from "./uninstall-command.ts";

/** Lines of changes that agents made on the nodes, without those for pods: they must exist, so that their removal proves something. */
const INSTALLED = [
  /file: f 755 \/opt\/cni\/bin\/interlay-full/,
  /table inet interlay/,
  /oifname "vethil\*"/,
  /nf_conntrack_tcp_be_liberal = 1/,
  /vxlan\/calico\.rp_filter = 2/,
] as const;

/** Registers the specs of `npm run uninstall`, with the attached pods kept-u and kept-m on the first worker. */
export function registerUninstallSpecs(addSpec: SequenceSpec): void {
  addSpec(
    "npm run uninstall refuses while pods are attached, and without a known image",
    async ({ cluster, keptPods }) => {
      const refused = await runUninstall(cluster);
      assert.equal(refused.exitCode, 2);
      assert.match(
        refused.stderr,
        /2 pods \(interlay-e2e\/kept-m, interlay-e2e\/kept-u\) have links that Interlay manages/,
      );
      const noImage = await runUninstall(cluster, "--force");
      assert.equal(noImage.exitCode, 2);
      assert.match(noImage.stderr, /--image REFERENCE/);
      await keptPods.waitUntilAllWork();
    },
  );

  addSpec("npm run uninstall restores every node, except for the state of running pods", async (context) => {
    const { cluster, image, bareNodes } = context;
    const markers = await context.keptPods.listMarkers();
    const installed = diffLines(bareNodes, await readBareNodes(cluster));
    for (const pattern of INSTALLED)
      assert.ok(
        installed.some((line) => pattern.test(line)),
        `${String(pattern)} does not exist before`,
      );
    const interrupted = await By("npm run uninstall with a timeout of 0", () =>
      runUninstall(cluster, "--force", "--image", image, "--timeout", "0"),
    );
    assert.match(interrupted.stderr, /waiting until every node is restored: .* run this again/);
    const { exitCode, stdout, stderr } = await By("npm run uninstall, again", () => runUninstall(cluster, "--force"));
    assert.equal(exitCode, 0, stderr);
    assert.match(stdout, /every node is restored/);
    const restoredNodes = await By("the nodes", () => readSettledNodes(cluster));
    assert.deepEqual(
      diffLines(bareNodes, restoredNodes).filter((line) => !markers.some((name) => line.includes(name))),
      cluster.nodes.flatMap(({ name }) => KEPT_DIRECTORIES.map((path) => `new: ${name}: file: d 755 ${path}`)),
    );
    assert.deepEqual(await context.listCrds(), []);
    assert.deepEqual(await context.helm.listReleases(), []);
  });

  addSpec(
    "installed again: a pod that was attached before can end and is not attached again; new pods are attached",
    async (context) => {
      const { api, keptPods } = context;
      const [firstWorker] = context.workers;
      assert.deepEqual(await keptPods.probePaths(), {
        "underlay -> overlay on the other node": false,
        "multi-NIC -> overlay on the other node": true, // by its overlay link
        "overlay -> underlay on its node": false,
        "overlay -> net1 on its node": false,
      });
      await api.core.deleteNamespacedPod({ namespace: NAMESPACE, name: "kept-u", gracePeriodSeconds: 0 });
      await context.waitForWarning("kept-u", "FailedKillPod", /interlay/);
      await context.installByProvider();
      await Eventually(
        "kept-u ends",
        () =>
          api.core.readNamespacedPod({ namespace: NAMESPACE, name: "kept-u" }).then(
            () => true,
            (error: unknown) => getStatusCode(error) !== 404,
          ),
        (exists) => !exists,
        POLL,
      );
      assert.equal(
        await keptPods.canReach("target-1", "kept-m", "net1"),
        false,
        "a pod without a record is attached again",
      );
      await context.deletePod({ name: "kept-m", node: firstWorker, type: "multi-nic" });
      await Promise.all([
        context.startPod("kept-u", firstWorker, "underlay"),
        context.startPod("kept-m", firstWorker, "multi-nic"),
      ]);
      await keptPods.waitUntilAllWork();
    },
  );
}
