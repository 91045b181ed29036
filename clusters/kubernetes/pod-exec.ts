import { createInterface } from "node:readline";
import { PassThrough } from "node:stream";
import { Exec, type KubeConfig, type V1Status } from "@kubernetes/client-node";
import type { ExecResult, ProgramStream } from "../provider/provider.ts";
import { createExecSocket } from "./exec-socket.ts";

/** A container of a pod. */
interface Container {
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
}

/** Runs a program in a container through the API server. @throws if the program cannot be started, not for an exit code */
export function execInPod(
  config: KubeConfig,
  { namespace, pod, container }: Container,
  argv: readonly string[],
): Promise<ExecResult> {
  const stdout = new PassThrough();
  const stderr = new PassThrough();
  const output = { stdout: "", stderr: "" };
  stdout.setEncoding("utf8").on("data", (chunk: string) => (output.stdout += chunk));
  stderr.setEncoding("utf8").on("data", (chunk: string) => (output.stderr += chunk));
  return new Promise((resolve, reject) => {
    const end = (status: V1Status): void => {
      const exitCode = parseExitCode(status);
      if (exitCode === undefined) reject(new Error(status.message ?? `cannot start ${argv[0] ?? ""} in pod ${pod}`));
      else resolve({ exitCode, ...output });
    };
    new Exec(config, createExecSocket(config))
      .exec(namespace, pod, container, [...argv], stdout, stderr, null, false, end)
      .then((socket) => {
        socket.addEventListener("close", () => {
          reject(new Error(`the connection to pod ${pod} was closed`)); // has no effect after the status
        });
      })
      .catch((error: unknown) => {
        reject(error instanceof Error ? error : new Error(String(error)));
      });
  });
}

/** Returns the exit code in a status; undefined if the program was not started. */
function parseExitCode({ status, reason, details }: V1Status): number | undefined {
  if (status === "Success") return 0;
  const code = details?.causes?.find((cause) => cause.reason === "ExitCode")?.message;
  return reason === "NonZeroExitCode" && code !== undefined ? Number(code) : undefined;
}

/** Starts a program in a container, with its stdin and stdout as lines. */
export async function attachInPod(
  config: KubeConfig,
  { namespace, pod, container }: Container,
  argv: readonly string[],
): Promise<ProgramStream> {
  const stdin = new PassThrough();
  const stdout = new PassThrough();
  const exec = new Exec(config, createExecSocket(config));
  const socket = await exec.exec(namespace, pod, container, [...argv], stdout, stdout, stdin, false);
  const lines = createInterface({ input: stdout });
  return {
    write: (line) => {
      stdin.write(`${line}\n`);
    },
    onLine: (listener) => {
      lines.on("line", listener);
    },
    close: () =>
      new Promise((resolve) => {
        socket.onclose = () => {
          resolve();
        };
        // The end of the connection ends the program's stdin, which ends the program.
        if (socket.readyState >= socket.CLOSING) resolve();
        else socket.close();
      }),
  };
}
