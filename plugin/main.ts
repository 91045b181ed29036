/**
 * The one executable. As `interlay-ipam` it is the IPAM plugin; with CNI_COMMAND the chained CNI plugin; else a command
 * of its own. What a call does not need is not loaded, and a plugin ends at once when its answer is out: a pod's start
 * waits for it.
 */
import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { writeStdout } from "./cni/write-stdout.ts";
import { answerVersion } from "./cni/version.ts";

/** For people who try out what a runtime would call: ADD with the option dryRun. */
const DRY_RUN = "--dry-run";

async function main(): Promise<void> {
  const command = process.env["CNI_COMMAND"];
  if (command === undefined) {
    const { runCommand } = await import("./cli/cli.ts");
    await runCommand(process.argv.slice(2));
  } else if (command === "VERSION") {
    writeStdout(JSON.stringify(answerVersion(readFileSync(0, "utf8"))));
    process.exit(0);
  } else if (basename(process.argv0) === "interlay-ipam") {
    const { runIpam } = await import("./ipam/run-ipam.ts");
    process.exit(await runIpam(process.env));
  } else {
    const { runCni } = await import("./cni/run-cni.ts");
    process.exit(runCni(process.env, { dryRun: process.argv.includes(DRY_RUN) }));
  }
}

void main();
