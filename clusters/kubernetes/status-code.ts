/** The HTTP status with which the API server refused a request; undefined: the error is not its answer. */
export function getStatusCode(error: unknown): number | undefined {
  return typeof error === "object" && error !== null && "code" in error && typeof error.code === "number"
    ? error.code
    : undefined;
}
