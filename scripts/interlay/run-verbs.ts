import { type Command, CommanderError } from "commander";
import { describeApiError } from "../../plugin/kubernetes/api-error.ts";
import { type ClusterFlags, type CommonFlags, loadCluster } from "./program/common-options.ts";
import { createProgram, type Verb } from "./program/program.ts";

/** Exit status of a command that could not do its work. */
const FAILED = 2;

/**
 * Runs `interlay ARGUMENTS` with some of its commands.
 * @returns the exit status: 0, 1 for a negative result, 2 if the command could not do its work
 */
async function runInterlay(argv: readonly string[], verbs: readonly Verb[]): Promise<number> {
  let command: Command | undefined;
  try {
    const program = await createProgram(verbs, argv);
    program.hook("preAction", (_, action) => {
      command = action;
      applyCommonOptions(action.opts<CommonFlags>());
    });
    await program.parseAsync([...argv], { from: "user" });
    return Number(process.exitCode ?? 0);
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : FAILED;
    process.stderr.write(`${await describeFailure(error, command)}\n`);
    return FAILED;
  }
}

/** Runs `interlay ARGUMENTS`, and ends the process as soon as the output is written: open connections would delay it. */
export async function runVerbsAndExit(argv: readonly string[], verbs: readonly Verb[]): Promise<never> {
  // A reader that has enough, like `head`, closes the pipe.
  process.stdout.on("error", () => process.exit(FAILED));
  const status = await runInterlay(argv, verbs);
  await Promise.all(
    [process.stdout, process.stderr].map((stream) => new Promise((resolve) => stream.write("", resolve))),
  );
  process.exit(status);
}

/** Sets the environment variables that pass the options to other modules and to child processes. */
function applyCommonOptions({ color, quiet }: CommonFlags): void {
  if (!color) {
    process.env["NO_COLOR"] = "1";
    delete process.env["FORCE_COLOR"];
  }
  if (quiet) process.env["INTERLAY_PROGRESS"] = "none";
}

async function describeFailure(error: unknown, command: Command | undefined): Promise<string> {
  const { verbose, ...flags } = command?.opts<CommonFlags & ClusterFlags>() ?? {};
  const server = await loadCluster(flags).then(
    (config) => config.getCurrentCluster()?.server,
    () => undefined,
  );
  const described = describeApiError(error, server);
  const details = verbose && error instanceof Error ? `\n${formatStack(error)}` : "";
  return `${listNames(command).join(" ") || "interlay"}: ${described.message}${details}`;
}

/** Returns the names of a command and of its parents. */
function listNames(command: Command | null | undefined): readonly string[] {
  return command ? [...listNames(command.parent), command.name()] : [];
}

function formatStack(error: Error): string {
  const stack = error.stack ?? error.message;
  return error.cause instanceof Error ? `${stack}\ncaused by: ${formatStack(error.cause)}` : stack;
}
