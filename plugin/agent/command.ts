import { readFileSync } from "node:fs";
import { Command } from "commander";
import type { ExplainOptions } from "../cni/explain.ts";
import { STATE_DIRECTORY } from "../datapath/facts.ts";
import { addNodeIpamCommands } from "../ipam/inspect/on-node.ts";
import { runAgent } from "./main.ts";
import type { Places } from "./uninstall.ts";

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
  addNodeIpamCommands(program);
  program
    .command("uninstall")
    .description("leave this node as it was: what is wired, tables, sysctl, plugins and files of Interlay go")
    .option("--bin-directory <path>", "where the runtime's plugins are", "/opt/cni/bin")
    .option("--state-directory <path>", "facts and records", STATE_DIRECTORY)
    .option("--run-directory <path>", "the agent's socket", "/run/interlay")
    .option("--log-directory <path>", "the plugins' log", "/var/log/interlay")
    .action(async (places: Places) => {
      const { uninstall } = await import("./uninstall.ts");
      for (const line of uninstall(places)) process.stdout.write(`${line}\n`);
    });
  program
    .command("wait", { hidden: true })
    .description("nothing, until SIGTERM: the DaemonSet that uninstalls is ready when this runs")
    .action(async () => {
      const alive = setInterval(() => undefined, 2 ** 30);
      await new Promise((resolve) => process.once("SIGTERM", resolve));
      clearInterval(alive);
    });
  program
    .command("explain")
    .description("why each link, route, rule and neighbour of a pod is there; of a configuration: what ADD would do")
    .option("--pod <namespace/name>", "a pod that runs on this node")
    .option("--config <file>", "a network configuration with its prevResult, as the plugin gets it (- is stdin)")
    .option("--netns <path>", "with --config: the pod's network namespace")
    .option("--ifname <name>", "with --config: the pod's interface", "eth0")
    .option("--container-id <id>", "with --config: what the links' names are made from", "explain")
    .option("--state-directory <path>", "with --pod: where this node's records are")
    .action(async ({ config, ...options }: ExplainOptions) => {
      const { explain } = await import("../cni/explain.ts");
      const text = config === undefined ? {} : { config: readFileSync(config === "-" ? 0 : config, "utf8") };
      try {
        process.stdout.write(explain({ ...options, ...text }));
      } catch (error) {
        if (!(error instanceof Error)) throw error;
        process.stderr.write(`interlay explain: ${error.message}\n`);
        process.exitCode = 1;
      }
    });
  try {
    await program.parseAsync([...argv], { from: "user" });
  } catch (error) {
    if (argv[0] !== "ipam" || !(error instanceof Error)) throw error;
    process.stderr.write(`interlay ipam: ${error.message}\n`);
    process.exitCode = 2;
  }
}
