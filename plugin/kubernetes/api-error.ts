const REMEDY =
  "See whether it runs and can be reached from here, and whether --kubeconfig or KUBECONFIG names the cluster.";

/** The API server did not answer at all; what it answers is a KubeError. The message is for people. */
export class UnreachableError extends Error {
  constructor(message: string, cause: unknown) {
    super(message, { cause });
    this.name = "UnreachableError";
  }
}

/**
 * What a person is told of a request that failed: which URL, what happened, what to do. Node's fetch says "fetch failed",
 * and why in its causes; Bun has codes of its own.
 * @param server the API server's URL, as the kubeconfig has it
 */
export function explained(error: unknown, server: string | undefined): Error {
  if (!(error instanceof Error)) return new Error(String(error));
  if (error instanceof UnreachableError || server === undefined) return error;
  const told = (what: string, remedy = REMEDY) =>
    new UnreachableError(`The API server ${server} was not reached: ${what}. ${remedy}`, error);
  if (error.message.startsWith("HTTP protocol is not allowed"))
    return told(
      "plain HTTP is not used",
      "Without a kubeconfig this is where it would be: name the cluster by --kubeconfig FILE or KUBECONFIG.",
    );
  if (error.name === "TimeoutError" || error.name === "AbortError") return told("no answer came in time");
  const causes = causesOf(error);
  const root = causes.find(({ code }) => typeof code === "string") ?? causes.at(-1);
  const code = typeof root?.code === "string" ? root.code : "";
  if (/CERT|SELF_SIGNED|SIGNATURE/.test(code))
    return told(
      `its certificate is not trusted (${root?.message ?? code})`,
      "See certificate-authority-data of the kubeconfig, and this computer's clock.",
    );
  const network =
    /^(E[A-Z]+|EAI_AGAIN|UND_ERR_[A-Z_]+|Connection\w+|FailedToOpenSocket)$/.test(code) && code !== "ENOENT";
  return network || error.message === "fetch failed" ? told((root?.message ?? "") || code || error.message) : error;
}

/** An AggregateError's are what was tried for each address. */
function causesOf(error: unknown): readonly { readonly message: string; readonly code?: unknown }[] {
  if (!(error instanceof Error)) return [];
  const inner = error instanceof AggregateError ? (error.errors as readonly unknown[]) : [];
  return [error, ...inner.flatMap(causesOf), ...causesOf(error.cause)];
}
