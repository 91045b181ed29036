import { type CommandOptions, runOrThrow } from "../components/command.ts";

/** kubectl against one cluster. Throws with kubectl's own words. */
export class Kubectl {
  readonly #executable: string;
  readonly #kubeconfig: string;

  constructor(executable: string, kubeconfig: string) {
    this.#executable = executable;
    this.#kubeconfig = kubeconfig;
  }

  run(argv: readonly string[], options: CommandOptions = {}): Promise<string> {
    return runOrThrow([this.#executable, "--kubeconfig", this.#kubeconfig, ...argv], options);
  }

  /** Server-side apply: idempotent, and large CRDs fit. */
  async apply(manifest: string): Promise<void> {
    await this.run(["apply", "--server-side", "--force-conflicts", "-f", "-"], { stdin: manifest });
  }

  async applyFile(path: string): Promise<void> {
    await this.run(["apply", "--server-side", "--force-conflicts", "-f", path]);
  }

  /** Waits until every pod of the workload is the new one and ready. */
  async waitForRollout(workload: string, namespace: string, timeoutSeconds: number): Promise<void> {
    await this.run(["-n", namespace, "rollout", "status", workload, `--timeout=${timeoutSeconds}s`]);
  }
}
