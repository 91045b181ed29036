import { Command } from "commander";
import { runAgent } from "./main.ts";

/** What the executable does when no runtime calls it. */
export async function runCommand(argv: readonly string[]): Promise<void> {
  const program = new Command("interlay").description("Overlay, underlay and multi-NIC pods in one cluster");
  program.command("agent").description("keep this node's state true (the DaemonSet's command)").action(runAgent);
  await program.parseAsync([...argv], { from: "user" });
}
