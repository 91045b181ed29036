import { CoreV1Api, type KubeConfig, type V1OwnerReference } from "@kubernetes/client-node";
import { Argument, Command, Option } from "commander";
import { stringify } from "yaml";
import { z } from "zod";
import { hasFinished } from "../../../plugin/kubernetes/pod-phase.ts";
import { listCustomObjects } from "../../../clusters/existing/inventory/read-objects.ts";
import { applyObject } from "../../../clusters/kubernetes/server-side-apply.ts";
import {
  addClusterOptions,
  addGlobalOptions,
  type ClusterFlags,
  loadCluster,
  type OutputFormat,
} from "../program/common-options.ts";
import { printOutput } from "../program/output.ts";
import type { ExistingPods, MigrationPlan, PodInterface } from "./migrate/migration-plan.ts";
import { planHostLocalMigration } from "./migrate/host-local.ts";
import { planSpiderpoolMigration } from "./migrate/spiderpool.ts";
import { planWhereaboutsMigration } from "./migrate/whereabouts.ts";

interface MigrateFlags extends ClusterFlags {
  readonly apply?: true;
  readonly dryRun?: true;
  readonly output: OutputFormat;
  readonly timeout: number;
}

const PLANNERS: Readonly<Record<string, (config: KubeConfig, pods: ExistingPods) => Promise<MigrationPlan>>> = {
  whereabouts: async (config, pods) => {
    const [pools, networks] = await Promise.all([
      listCustomObjects(config, "whereabouts.cni.cncf.io", "v1alpha1", "ippools"),
      listCustomObjects(config, "k8s.cni.cncf.io", "v1", "network-attachment-definitions"),
    ]);
    return planWhereaboutsMigration(pools, networks, pods);
  },
  "host-local": async (config, pods) =>
    planHostLocalMigration(
      await listCustomObjects(config, "k8s.cni.cncf.io", "v1", "network-attachment-definitions"),
      pods,
    ),
  spiderpool: async (config, pods) => {
    const [pools, reserved] = await Promise.all([
      listCustomObjects(config, "spiderpool.spidernet.io", "v2beta1", "spiderippools"),
      listCustomObjects(config, "spiderpool.spidernet.io", "v2beta1", "spiderreservedips"),
    ]);
    return planSpiderpoolMigration(pools, reserved, pods);
  },
};

/** Annotation in which Multus reports the NICs of a pod. */
const NETWORK_STATUS = "k8s.v1.cni.cncf.io/network-status";
const networkStatus = z.array(
  z.object({ interface: z.string().default("eth0"), ips: z.array(z.string()).default([]) }),
);

/** `interlay migrate`: converts pools, allocations and networks of another solution to objects of Interlay. */
export function createMigrateCommand(): Command {
  const command = new Command("migrate")
    .description(
      "convert pools, current addresses and networks of another solution to objects of Interlay, and print them",
    )
    .addArgument(new Argument("<source>", "the other solution").choices(Object.keys(PLANNERS)))
    .option("--apply", "also apply the objects; the other solution's objects and pods are not changed")
    .addOption(new Option("--dry-run", "only print the objects, as without --apply").conflicts("apply"))
    .addHelpText(
      "after",
      `
Addresses of running pods are held for them, so that no other pod gets them. What has no equivalent is named on stderr.

Examples:
  interlay migrate whereabouts --dry-run -o yaml > interlay.yaml
  interlay migrate spiderpool --apply`,
    );
  return addGlobalOptions(addClusterOptions(command), ["timeout", "output"]).action(runMigration);
}

async function runMigration(source: string, flags: MigrateFlags): Promise<void> {
  const config = await loadCluster(flags);
  const plan = await PLANNERS[source]?.(config, await listPods(config));
  if (plan === undefined || plan.objects.length === 0)
    throw new Error(`nothing to migrate: the cluster has no pools of ${source}, or they may not be read`);
  for (const note of plan.notes) process.stderr.write(`note: ${note}\n`);
  const deadline = Date.now() + 1000 * flags.timeout;
  if (flags.apply) for (const object of plan.objects) await applyObject(config, object, deadline);
  // As YAML, each object is a document, which `kubectl apply -f` reads.
  printOutput(flags.output === "json" ? "json" : "table", plan.objects, () =>
    plan.objects.map((object) => stringify(object)).join("---\n"),
  );
  process.stderr.write(`${plan.objects.length} objects${flags.apply ? " applied" : "; add --apply to create them"}\n`);
}

function findController(
  references: readonly V1OwnerReference[] = [],
): { kind: string; name: string; uid: string } | undefined {
  const ownerReference = references.find(({ controller }) => controller === true);
  return ownerReference === undefined
    ? undefined
    : { kind: ownerReference.kind, name: ownerReference.name, uid: ownerReference.uid };
}

function parseNetworkStatus(text: string | undefined): readonly PodInterface[] {
  try {
    const parsed = networkStatus.safeParse(JSON.parse(text ?? "[]"));
    return parsed.success ? parsed.data.map(({ interface: ifname, ips }) => ({ ifname, addresses: ips })) : [];
  } catch {
    return [];
  }
}

async function listPods(config: KubeConfig): Promise<ExistingPods> {
  const { items } = await config.makeApiClient(CoreV1Api).listPodForAllNamespaces();
  return new Map(
    items.flatMap(({ metadata, spec, status }) =>
      spec?.nodeName === undefined || hasFinished(status ?? {})
        ? []
        : [
            [
              `${metadata?.namespace ?? ""}/${metadata?.name ?? ""}`,
              {
                uid: metadata?.uid ?? "",
                owner: findController(metadata?.ownerReferences),
                node: spec.nodeName,
                interfaces: parseNetworkStatus(metadata?.annotations?.[NETWORK_STATUS]),
              },
            ] as const,
          ],
    ),
  );
}
