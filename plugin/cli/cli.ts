import { readFileSync } from "node:fs";
import { Command } from "commander";
import type { ExplainOptions } from "../cni/explain.ts";
import type { DoctorOptions } from "./doctor.ts";
import { addNodeIpamCommands } from "../ipam/inspect/node-commands.ts";
import { runAgent } from "../agent/main.ts";
import { VERSION } from "../version/version.ts";
import { DEFAULT_NODE_PATHS, type NodePaths } from "../agent/install/node-paths.ts";

/** Runs the executable's commands, when no container runtime calls it as a plugin. */
export async function runNodeProgram(argv: readonly string[]): Promise<void> {
  const program = new Command("interlay")
    .description("Overlay, underlay and multi-NIC pods in one cluster")
    .version(VERSION);
  addPathOptions(program.command("agent"), DEFAULT_NODE_PATHS)
    .description("run the node agent (the DaemonSet's command)")
    .action(runAgent);
  program
    .command("controller")
    .description("run a replica of the controller, which does the cluster-wide work (the Deployment's command)")
    .action(async () => {
      const { runController } = await import("../controller/main.ts");
      await runController();
    });
  program
    .command("doctor")
    .description("predict which connections fail on this node, and why, from the state of kernel and cluster")
    .option("--json", "findings as JSON")
    .option("--snapshot", "print the observed state as JSON, without a prediction")
    .option("--nodes-from <file>", "predict for all nodes by their snapshots, in one JSON array")
    .action(async (options: DoctorOptions) => {
      const { runDoctor } = await import("./doctor.ts");
      await runDoctor(options);
    });
  program
    .command("trace")
    .description(
      "print the state of this node's network namespaces, from which `interlay trace` computes paths, as JSON",
    )
    .requiredOption("--collect", "read the state")
    .action(async () => {
      const { collectTraceState } = await import("./trace.ts");
      await collectTraceState();
    });
  addNodeIpamCommands(program);
  addPathOptions(program.command("uninstall"), { ...DEFAULT_NODE_PATHS, binDirectory: "/opt/cni/bin" })
    .description("remove Interlay from this node (attachments, nftables tables, sysctls, plugins, files)")
    .action(async (paths: NodePaths) => {
      const { uninstallNode: uninstall } = await import("../agent/install/uninstall-node.ts");
      for (const line of await uninstall(paths)) process.stdout.write(`${line}\n`);
    });
  program
    .command("wait", { hidden: true })
    .description("wait for SIGTERM (keeps the uninstall DaemonSet's pods ready)")
    .action(async () => {
      const alive = setInterval(() => undefined, 2 ** 30);
      await new Promise((resolve) => process.once("SIGTERM", resolve));
      clearInterval(alive);
    });
  program
    .command("explain")
    .description(
      "print the reason for each link, route, rule and neighbour of a pod, or the plan of ADD for a configuration",
    )
    .option("--pod <namespace/name>", "a pod that runs on this node")
    .option("--config <file>", "a network configuration with its prevResult, as passed to the plugin (- is stdin)")
    .option("--netns <path>", "with --config: the pod's network namespace")
    .option("--ifname <name>", "with --config: the pod's interface", "eth0")
    .option("--container-id <id>", "with --config: the container id, from which link names are derived", "explain")
    .option("--state-directory <path>", "with --pod: directory of this node's records")
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

function addPathOptions(command: Command, paths: NodePaths): Command {
  return command
    .option("--bin-directory <path>", "the runtime's plugin directory", paths.binDirectory)
    .option("--state-directory <path>", "facts and records", paths.stateDirectory)
    .option("--run-directory <path>", "the agent's sockets", paths.runDirectory)
    .option("--log-directory <path>", "the plugins' log", paths.logDirectory);
}
