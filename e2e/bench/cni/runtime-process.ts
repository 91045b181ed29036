import { spawn } from "node:child_process";
import { encodeCall, type EncodedCall, type TimedCall } from "./timed-call.ts";

/** Process of runtime.ts in a node's network namespace: starts plugins as a container runtime does, and measures them. */
process.on("message", (message) => {
  const { id, invocation } = encodeCall.parse(message);
  timedCall(invocation).then(
    (result) => process.send?.({ id, result }),
    (error: unknown) => process.send?.({ id, result: { error: String(error) } }),
  );
});
process.on("disconnect", () => process.exit());

function timedCall({ executable, env, input }: EncodedCall["invocation"]): Promise<TimedCall> {
  return new Promise((resolve, reject) => {
    const started = performance.now();
    const child = spawn(executable, [], { env, stdio: ["pipe", "pipe", "inherit"] });
    let ended = started;
    let stdout = "";
    child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
    child.on("error", reject);
    child.on("exit", () => (ended = performance.now()));
    child.on("close", (status) => {
      resolve({ milliseconds: ended - started, status: status ?? -1, stdout });
    });
    // A plugin may answer VERSION without reading stdin.
    child.stdin.on("error", () => undefined);
    child.stdin.end(input);
  });
}
