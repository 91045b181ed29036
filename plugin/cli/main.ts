/**
 * Implements the executable `interlay-full`: as `interlay-ipam` the IPAM plugin, with CNI_COMMAND the chained CNI plugin,
 * otherwise the commands of `cli`. A call loads only the modules that it needs and exits as soon as the result is written, because the
 * start of a pod waits for it.
 */
import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { writeStdout } from "../cni/write-stdout.ts";
import { answerVersion } from "../cni/cni-version.ts";

/** Command line option that sets dryRun, to try out a call. */
const DRY_RUN = "--dry-run";

async function main(): Promise<void> {
  const command = process.env["CNI_COMMAND"];
  if (command === undefined) {
    const { runNodeProgram } = await import("./cli.ts");
    await runNodeProgram(process.argv.slice(2));
  } else if (command === "VERSION") {
    writeStdout(JSON.stringify(answerVersion(readFileSync(0, "utf8"))));
    process.exit(0);
  } else if (basename(process.argv0) === "interlay-ipam") {
    const { runIpam } = await import("../ipam/run-ipam.ts");
    process.exit(await runIpam(process.env));
  } else {
    const { runCni } = await import("../cni/run-cni.ts");
    process.exit(runCni(process.env, { dryRun: process.argv.includes(DRY_RUN) }));
  }
}

void main();
