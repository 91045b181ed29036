import assert from "node:assert/strict";
import type { Cluster } from "../../clusters/provider/provider.ts";
import { By } from "../harness.ts";
import { runCommandProcess } from "../support/e2e-process.ts";

/** Output of one command, as a user sees it. */
interface CommandOutput {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the program `interlay` on one cluster, and keeps what it prints. */
export class InterlayCommand {
  readonly #cluster: Cluster;
  readonly #transcript: string[] = [];

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
  }

  /** All commands with a table and their outputs, for documentation. */
  get transcript(): string {
    return this.#transcript.join("\n");
  }

  /**
   * Runs a command on the cluster.
   * @throws an error with its output if its exit status is not the expected one
   */
  async run(argv: readonly string[], exitCode = 0): Promise<CommandOutput> {
    const command = `interlay ${argv.join(" ")}`;
    const output = await By(command, () => this.#start([...argv, "--kubeconfig", this.#cluster.kubeconfig]));
    this.#transcript.push(`$ ${command}\n${output.stdout}${output.stderr.replaceAll(/^/gm, "# ")}\n`);
    assertExitCode(command, output, exitCode);
    return output;
  }

  /**
   * Runs a command with `-o json`; stdout must be one document.
   * @param isLocal whether it takes no kubeconfig
   * @returns the document; undefined if the command is expected to end with 2
   */
  async runForDocument(argv: readonly string[], { exitCode = 0, isLocal = false } = {}): Promise<unknown> {
    const flags = isLocal ? [] : ["--kubeconfig", this.#cluster.kubeconfig];
    const command = `interlay ${argv.join(" ")} -o json`;
    const output = await By(command, () => this.#start([...argv, ...flags, "-o", "json"]));
    assertExitCode(command, output, exitCode);
    // A command that could not do its work has no result.
    if (exitCode === 2) assert.equal(output.stdout, "", command);
    return exitCode === 2 ? undefined : (JSON.parse(output.stdout) as unknown);
  }

  #start(argv: readonly string[]): Promise<CommandOutput> {
    return runCommandProcess("interlay", argv);
  }
}

function assertExitCode(command: string, { exitCode, stdout, stderr }: CommandOutput, expected: number): void {
  assert.equal(exitCode, expected, `${command} ended with ${exitCode}: ${`${stdout}${stderr}`.slice(-8000)}`);
}
