import type { Command } from "commander";
import { parseIp } from "../../datapath/address.ts";
import type { KubeClient } from "../../kubernetes/kube-client.ts";
import { findDiscrepancies } from "./discrepancies.ts";
import { observeClusterAddresses } from "./observe-cluster-addresses.ts";
import { askConfirmation, findReleasable, releaseAddresses } from "./release.ts";
import { listAddressUses, type NodeHistory } from "./address-history.ts";
import { renderAddresses, renderDiscrepancies, renderHistory } from "./render-addresses.ts";
import type { NodeAddressSnapshot } from "./node-addresses-snapshot.ts";

/** Format of a result: `--json`, or `--output` of a program that has more formats. */
interface FormatOptions {
  readonly json?: true;
  readonly output?: string;
}

/** Sources of the commands: on a node only that node, otherwise all nodes. */
interface AddressSources {
  readonly kube: () => KubeClient;
  readonly nodes: () => Promise<readonly NodeAddressSnapshot[]>;
  readonly histories: () => Promise<readonly NodeHistory[]>;
  /** Prints a result; default: as JSON with `--json`, otherwise as text. */
  readonly print?: (options: FormatOptions, value: unknown, renderText: () => string) => void;
}

interface ShowOptions extends FormatOptions {
  readonly pool?: string;
  readonly node?: string;
  readonly pod?: string;
}

interface CheckOptions extends FormatOptions {
  readonly repair?: true;
  readonly yes?: true;
}

interface ReleaseOptions extends FormatOptions {
  readonly force?: true;
  readonly yes?: true;
}

interface HistoryOptions extends FormatOptions {
  readonly pod?: string;
}

/** Adds the commands `list` (alias `show`), `check`, `release` and `history`. */
export function addIpamCommands(program: Command, sources: AddressSources): void {
  const { kube, nodes, histories, print = printResult } = sources;
  program
    .command("list")
    .alias("show")
    .description("list underlay addresses and their holders")
    .option("--pool <name>", "only of this UnderlayPool")
    .option("--node <name>", "only of this node")
    .option("--pod <namespace/name>", "only of this pod")
    .option("--json", "the UnderlayAddress objects as JSON")
    .action(async (options: ShowOptions) => {
      const { pool, node, pod } = options;
      const { addresses } = await observeClusterAddresses(kube());
      const selected = addresses.filter(
        ({ spec }) =>
          (pool === undefined || spec.pool === pool) &&
          (node === undefined || spec.node === node) &&
          (pod === undefined || `${spec.pod.namespace}/${spec.pod.name}` === pod),
      );
      print(options, selected, () => renderAddresses(selected));
    });
  program
    .command("check")
    .description("compare the cluster's objects, the nodes' records and their kernels")
    .option("--json", "print the findings as JSON")
    .option("--repair", "release addresses of deleted pods that their node no longer uses, after confirmation")
    .option("--yes", "with --repair: do not ask for confirmation")
    .action(async (options: CheckOptions) => {
      const { repair, yes } = options;
      const cluster = await observeClusterAddresses(kube());
      const snapshots = await nodes();
      const found = findDiscrepancies(cluster, snapshots);
      print(options, { found }, () => renderDiscrepancies(found, snapshots.length));
      if (found.some(({ severity }) => severity === "error")) process.exitCode = 1;
      const stale = found.flatMap(({ release }) => release ?? []);
      if (!repair || stale.length === 0) return;
      const names = stale.map(({ spec }) => spec.address).join(", ");
      // stdout has the result of the check, which may be JSON
      if (yes || (await askConfirmation(`Release ${names}?`)))
        for (const line of await releaseAddresses(kube(), stale)) process.stderr.write(`${line}\n`);
      else process.stderr.write("nothing was changed: confirm, or add --yes\n");
    });
  program
    .command("release")
    .description("release addresses of deleted pods, or addresses that are marked as in use by another host")
    .argument("<address...>", "addresses as printed by show")
    .option("--force", "also release an address of an existing pod")
    .option("--yes", "do not ask for confirmation")
    .option("--json", "print the released UnderlayAddress objects as JSON")
    .action(async (addressNames: string[], options: ReleaseOptions) => {
      const objects = findReleasable(await observeClusterAddresses(kube()), addressNames, options.force === true);
      process.stderr.write(renderAddresses(objects));
      if (options.yes || (await askConfirmation("Release them?"))) {
        const lines = await releaseAddresses(kube(), objects);
        print(options, objects, () => lines.map((line) => `${line}\n`).join(""));
        return;
      }
      process.stderr.write("nothing was changed: confirm, or add --yes\n");
      process.exitCode = 1;
    });
  program
    .command("history")
    .description("list which containers had an address, by the nodes' logs of CNI calls (10 to 20 MB on each node)")
    .argument("[address]", "only this address")
    .option("--pod <namespace/name>", "only of this pod")
    .option("--json", "as JSON")
    .action(async (address: string | undefined, options: HistoryOptions) => {
      const { pod } = options;
      const uses = listAddressUses(await histories()).filter(
        (use) => (address === undefined || use.address === parseIp(address)) && (pod === undefined || use.pod === pod),
      );
      print(options, uses, () => renderHistory(uses));
    });
}

function printResult({ json }: FormatOptions, value: unknown, renderText: () => string): void {
  process.stdout.write(json ? `${JSON.stringify(value)}\n` : renderText());
}
