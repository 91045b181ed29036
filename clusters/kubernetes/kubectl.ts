import pRetry from "p-retry";
import { getErrorMessage } from "../../plugin/errors/error-message.ts";
import { type CommandOptions, runOrThrow } from "../components/run-command.ts";

/** Retries of an apply, which may be repeated: a busy API server or etcd may not complete a request in time. */
const APPLY_RETRY = { retries: 4, minTimeout: 250, factor: 3 };
const SERVER_TIMEOUT = /^Error from server \((?:Server)?Timeout\)|etcdserver: request timed out/m;

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
    await this.#apply("-", { stdin: manifest });
  }

  /** Applies a manifest file, as `apply` does. */
  async applyFile(path: string): Promise<void> {
    await this.#apply(path);
  }

  /** Waits until every pod of a workload is of its latest revision and ready. @param workload like `daemonset/interlay` */
  async waitForRollout(workload: string, namespace: string, timeoutSeconds: number): Promise<void> {
    await this.run(["-n", namespace, "rollout", "status", workload, `--timeout=${timeoutSeconds}s`]);
  }

  async #apply(path: string, options?: CommandOptions): Promise<void> {
    await pRetry(() => this.run(["apply", "--server-side", "--force-conflicts", "-f", path], options), {
      ...APPLY_RETRY,
      shouldRetry: ({ error }) => SERVER_TIMEOUT.test(getErrorMessage(error)),
    });
  }
}
