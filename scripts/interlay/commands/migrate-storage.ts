import type { KubeConfig } from "@kubernetes/client-node";
import { Command, Option } from "commander";
import { migrateStorage } from "../../../clusters/kubernetes/migrate-storage.ts";
import { createProgress } from "../../../clusters/progress/create-progress.ts";
import { KubeClient } from "../../../plugin/kubernetes/kube-client.ts";
import { DEPRECATED_VERSION, STORED_VERSION } from "../../../plugin/kubernetes/objects.ts";
import { addClusterOptions, type ClusterFlags, loadCluster } from "../program/common-options.ts";

/** Timeout of one write: the API server needs seconds to compile the rules of a CRD. */
const WRITE_TIMEOUT_MS = 60_000;

interface Flags extends ClusterFlags {
  readonly to: string;
}

/** `interlay migrate-storage`: stores all objects in one version of the API. */
export function createMigrateStorageCommand(): Command {
  const command = new Command("migrate-storage")
    .description("store all objects of Interlay in one version of the API, as interlay install does after an upgrade")
    .addOption(
      new Option("--to <version>", `version; ${DEPRECATED_VERSION} before a downgrade to a version that has only that`)
        .choices([STORED_VERSION, DEPRECATED_VERSION])
        .default(STORED_VERSION),
    )
    .addHelpText("after", "\nExample:\n  interlay migrate-storage --context staging");
  return addClusterOptions(command).action(runMigrateStorage);
}

async function runMigrateStorage(flags: Flags): Promise<void> {
  await migrateWithProgress(await loadCluster(flags), flags.to);
}

/** Runs the migration as one step of the progress on stderr. */
export async function migrateWithProgress(config: KubeConfig, version: string): Promise<void> {
  const step = createProgress().step(`store objects as ${version}`);
  let written = 0;
  try {
    await migrateStorage(KubeClient.withTimeout(config, WRITE_TIMEOUT_MS), {
      version,
      onKind: (kind, objects) => {
        written += objects;
        step.update(`${kind}: ${objects}`);
      },
    });
  } catch (error) {
    step.fail("not all objects are stored so");
    throw error;
  }
  step.done(`${written} objects written`);
}
