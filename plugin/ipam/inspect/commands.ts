import type { Command } from "commander";
import type { KubeClient } from "../../kubernetes/kube-client.ts";
import { findDiscrepancies } from "./discrepancies.ts";
import { observeClusterAddresses } from "./observe-cluster.ts";
import { askConfirmation, findReleasable, releaseAddresses } from "./release.ts";
import { renderAddresses, renderDiscrepancies } from "./render.ts";
import type { NodeAddressSnapshot } from "./snapshot.ts";

/** Sources of the three commands: on a node only that node, otherwise all nodes. */
interface AddressSources {
  readonly kube: () => KubeClient;
  readonly nodes: () => Promise<readonly NodeAddressSnapshot[]>;
}

interface ShowOptions {
  readonly pool?: string;
  readonly node?: string;
  readonly pod?: string;
  readonly json?: true;
}

interface CheckOptions {
  readonly json?: true;
  readonly repair?: true;
  readonly yes?: true;
}

/** Adds `ipam show`, `check` and `release`. */
export function addIpamCommands(program: Command, { kube, nodes }: AddressSources): void {
  const say = (text: string): void => {
    process.stdout.write(text);
  };
  program
    .command("show")
    .description("list underlay addresses and their holders")
    .option("--pool <name>", "only of this UnderlayPool")
    .option("--node <name>", "only of this node")
    .option("--pod <namespace/name>", "only of this pod")
    .option("--json", "the UnderlayAddress objects as JSON")
    .action(async ({ pool, node, pod, json }: ShowOptions) => {
      const { addresses } = await observeClusterAddresses(kube());
      const wanted = addresses.filter(
        ({ spec }) =>
          (pool === undefined || spec.pool === pool) &&
          (node === undefined || spec.node === node) &&
          (pod === undefined || `${spec.pod.namespace}/${spec.pod.name}` === pod),
      );
      say(json ? `${JSON.stringify(wanted)}\n` : renderAddresses(wanted));
    });
  program
    .command("check")
    .description("compare the cluster's objects, the nodes' records and their kernels")
    .option("--json", "print the findings as JSON")
    .option("--repair", "release addresses of deleted pods that their node no longer uses, after confirmation")
    .option("--yes", "with --repair: do not ask for confirmation")
    .action(async ({ json, repair, yes }: CheckOptions) => {
      const cluster = await observeClusterAddresses(kube());
      const seen = await nodes();
      const found = findDiscrepancies(cluster, seen);
      say(json ? `${JSON.stringify({ found })}\n` : renderDiscrepancies(found, seen.length));
      if (found.some(({ severity }) => severity === "error")) process.exitCode = 1;
      const stale = found.flatMap(({ release }) => release ?? []);
      if (!repair || stale.length === 0) return;
      const names = stale.map(({ spec }) => spec.address).join(", ");
      if (yes || (await askConfirmation(`Release ${names}?`)))
        say((await releaseAddresses(kube(), stale)).map((line) => `${line}\n`).join(""));
      else process.stderr.write("nothing was changed: confirm, or add --yes\n");
    });
  program
    .command("release")
    .description("release addresses of deleted pods, or addresses that are marked as in use by another host")
    .argument("<address...>", "addresses as printed by show")
    .option("--force", "also release an address of an existing pod")
    .option("--yes", "do not ask for confirmation")
    .action(async (wanted: string[], { force, yes }: { force?: true; yes?: true }) => {
      const objects = findReleasable(await observeClusterAddresses(kube()), wanted, force === true);
      say(renderAddresses(objects));
      if (yes || (await askConfirmation("Release them?")))
        say((await releaseAddresses(kube(), objects)).map((line) => `${line}\n`).join(""));
      else {
        process.stderr.write("nothing was changed: confirm, or add --yes\n");
        process.exitCode = 1;
      }
    });
}
