import { type CommandOptions, runOrThrow } from "../components/run-command.ts";

/** Runs kubectl for one cluster. Its methods throw with kubectl's output. */
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

  /** Reads a path of the API server as JSON. */
  async readPath(path: string): Promise<unknown> {
    return JSON.parse(await this.run(["get", "--raw", path])) as unknown;
  }

  /** Applies a manifest on the server, which is idempotent and has no size limit for CRDs. */
  async apply(manifest: string): Promise<void> {
    await this.run(["apply", "--server-side", "--force-conflicts", "-f", "-"], { stdin: manifest });
  }

  /** Applies a manifest file, as `apply` does. */
  async applyFile(path: string): Promise<void> {
    await this.run(["apply", "--server-side", "--force-conflicts", "-f", path]);
  }

  /** Waits until every pod of a workload is of its latest revision and ready. @param workload like `daemonset/interlay` */
  async waitForRollout(workload: string, namespace: string, timeoutSeconds: number): Promise<void> {
    await this.run(["-n", namespace, "rollout", "status", workload, `--timeout=${timeoutSeconds}s`]);
  }
}
