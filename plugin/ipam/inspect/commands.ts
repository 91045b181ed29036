import type { Command } from "commander";
import type { Kube } from "../../agent/kube.ts";
import { findDiscrepancies } from "./discrepancies.ts";
import { observeClusterAddresses } from "./observe-cluster.ts";
import { askConfirmation, findReleasable, releaseAddresses } from "./release.ts";
import { renderAddresses, renderDiscrepancies } from "./render.ts";
import type { NodeAddresses } from "./snapshot.ts";

/** Where the three commands look: on a node at that node, from outside at all of them. */
export interface AddressSources {
  readonly kube: () => Kube;
  readonly nodes: () => Promise<readonly NodeAddresses[]>;
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

/** `ipam show | check | release`: who holds what; do objects, records and kernels agree; let an address go. */
export function addIpamCommands(program: Command, { kube, nodes }: AddressSources): void {
  const say = (text: string): void => {
    process.stdout.write(text);
  };
  program
    .command("show")
    .description("who holds which underlay address")
    .option("--pool <name>", "of this UnderlayPool alone")
    .option("--node <name>", "of this node alone")
    .option("--pod <namespace/name>", "of this pod alone")
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
    .description("whether the cluster's objects, the nodes' records and their kernels agree on who has which address")
    .option("--json", "what was found, as JSON")
    .option("--repair", "let addresses of pods that are gone go, where their node says so, after a question")
    .option("--yes", "with --repair: without the question")
    .action(async ({ json, repair, yes }: CheckOptions) => {
      const cluster = await observeClusterAddresses(kube());
      const seen = await nodes();
      const found = findDiscrepancies(cluster, seen);
      say(json ? `${JSON.stringify({ found })}\n` : renderDiscrepancies(found, seen.length));
      if (found.some(({ severity }) => severity === "error")) process.exitCode = 1;
      const stale = found.flatMap(({ release }) => release ?? []);
      if (!repair || stale.length === 0) return;
      const names = stale.map(({ spec }) => spec.address).join(", ");
      if (yes || (await askConfirmation(`Let ${names} go?`)))
        say((await releaseAddresses(kube(), stale)).map((line) => `${line}\n`).join(""));
      else process.stderr.write("nothing was changed: say yes, or add --yes\n");
    });
  program
    .command("release")
    .description("let addresses go that nobody has any more: of pods that are gone, or marked as in use on the wire")
    .argument("<address...>", "as show has them")
    .option("--force", "also of a pod that is there")
    .option("--yes", "without the question")
    .action(async (wanted: string[], { force, yes }: { force?: true; yes?: true }) => {
      const objects = findReleasable(await observeClusterAddresses(kube()), wanted, force === true);
      say(renderAddresses(objects));
      if (yes || (await askConfirmation("Let them go?")))
        say((await releaseAddresses(kube(), objects)).map((line) => `${line}\n`).join(""));
      else {
        process.stderr.write("nothing was changed: say yes, or add --yes\n");
        process.exitCode = 1;
      }
    });
}
