const REMEDY = "Check that it runs and is reachable from here, and that --kubeconfig or KUBECONFIG names the cluster.";

/** The API server did not respond. A response with an error status is a KubeError. The message is for people. */
class UnreachableError extends Error {
  constructor(message: string, cause: unknown) {
    super(message, { cause });
    this.name = "UnreachableError";
  }
}

/**
 * Describes a failed request: URL, cause and remedy. Node's fetch reports "fetch failed" and has the reason in its causes;
 * Bun has codes of its own.
 * @param server the API server's URL, as the kubeconfig has it
 */
export function describeApiError(error: unknown, server: string | undefined): Error {
  if (!(error instanceof Error)) return new Error(String(error));
  if (error instanceof UnreachableError || server === undefined) return error;
  const describe = (problem: string, remedy = REMEDY) =>
    new UnreachableError(`The API server ${server} was not reached: ${problem}. ${remedy}`, error);
  if (error.message.startsWith("HTTP protocol is not allowed"))
    return describe(
      "plain HTTP is not used",
      "Without a kubeconfig this is where it would be: name the cluster by --kubeconfig FILE or KUBECONFIG.",
    );
  if (error.name === "TimeoutError" || error.name === "AbortError") return describe("no answer came in time");
  const causes = listCauses(error);
  const root = causes.find(({ code }) => typeof code === "string") ?? causes.at(-1);
  const code = typeof root?.code === "string" ? root.code : "";
  if (/CERT|SELF_SIGNED|SIGNATURE/.test(code))
    return describe(
      `its certificate is not trusted (${root?.message ?? code})`,
      "See certificate-authority-data of the kubeconfig, and this computer's clock.",
    );
  const network =
    /^(E[A-Z]+|EAI_AGAIN|UND_ERR_[A-Z_]+|Connection\w+|FailedToOpenSocket)$/.test(code) && code !== "ENOENT";
  return network || error.message === "fetch failed" ? describe((root?.message ?? "") || code || error.message) : error;
}

/** Lists an error with its causes; an AggregateError has one for each address that was tried. */
function listCauses(error: unknown): readonly { readonly message: string; readonly code?: unknown }[] {
  if (!(error instanceof Error)) return [];
  const inner = error instanceof AggregateError ? (error.errors as readonly unknown[]) : [];
  return [error, ...inner.flatMap(listCauses), ...listCauses(error.cause)];
}
