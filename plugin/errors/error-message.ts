/** Returns the message of a caught value; of a value that is not an Error, its text. */
export function getErrorMessage(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
