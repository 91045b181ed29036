import { Command } from "commander";
import { runAgent } from "./main.ts";

/** What the executable does when no runtime calls it. */
export async function runCommand(argv: readonly string[]): Promise<void> {
  const program = new Command("interlay").description("Overlay, underlay and multi-NIC pods in one cluster");
  program.command("agent").description("keep this node's state true (the DaemonSet's command)").action(runAgent);
  program
    .command("doctor")
    .description("predict which connections fail on this node, and why, by the state of kernel and cluster alone")
    .option("--json", "findings as JSON")
    .option("--snapshot", "what was seen, as JSON, without a prediction")
    .action(async (options: { json?: boolean; snapshot?: boolean }) => {
      const { runDoctor } = await import("../doctor/command.ts");
      await runDoctor(options);
    });
  await program.parseAsync([...argv], { from: "user" });
}
