import { readFileSync } from "node:fs";
import { Command } from "commander";
import type { ExplainOptions } from "../cni/explain.ts";
import type { DoctorOptions } from "./doctor.ts";
import { addNodeIpamCommands } from "../ipam/inspect/node-commands.ts";
import { runAgent } from "../agent/main.ts";
import { NODE_PLACES, type NodePlaces } from "../agent/install/paths.ts";

/** What the executable does when no runtime calls it. */
export async function runCommand(argv: readonly string[]): Promise<void> {
  const program = new Command("interlay").description("Overlay, underlay and multi-NIC pods in one cluster");
  withPlaces(program.command("agent"), NODE_PLACES)
    .description("keep this node's state true (the DaemonSet's command)")
    .action(runAgent);
  program
    .command("doctor")
    .description("predict which connections fail on this node, and why, by the state of kernel and cluster alone")
    .option("--json", "findings as JSON")
    .option("--snapshot", "what was seen, as JSON, without a prediction")
    .option("--nodes-from <file>", "predict for all nodes by their snapshots, in one JSON array")
    .action(async (options: DoctorOptions) => {
      const { runDoctor } = await import("./doctor.ts");
      await runDoctor(options);
    });
  addNodeIpamCommands(program);
  withPlaces(program.command("uninstall"), { ...NODE_PLACES, binDirectory: "/opt/cni/bin" })
    .description("leave this node as it was: what is wired, tables, sysctl, plugins and files of Interlay go")
    .action(async (places: NodePlaces) => {
      const { uninstall } = await import("../agent/install/uninstall.ts");
      for (const line of await uninstall(places)) process.stdout.write(`${line}\n`);
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
      const { renderExplanation: explain } = await import("../cni/explain.ts");
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

function withPlaces(command: Command, places: NodePlaces): Command {
  return command
    .option("--bin-directory <path>", "where the runtime's plugins are", places.binDirectory)
    .option("--state-directory <path>", "facts and records", places.stateDirectory)
    .option("--run-directory <path>", "the agent's sockets", places.runDirectory)
    .option("--log-directory <path>", "the plugins' log", places.logDirectory);
}
