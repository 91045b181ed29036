import { z } from "zod";
import { getErrorMessage } from "../errors/error-message.ts";

/** Reports objects of one kind that the schema of the kind rejects. The same error of an object is reported once. */
export class InvalidObjects {
  readonly #report: (message: string) => void;
  readonly #messages = new Map<string, string>();

  /** @param report called with each new message of `record` */
  constructor(report: (message: string) => void) {
    this.#report = report;
  }

  /**
   * Reports the error of an invalid object, unless it is the last one that was reported of this object.
   *
   * @param key identifies the object
   */
  record(key: string, message: string): void {
    if (this.#messages.get(key) === message) return;
    this.#messages.set(key, message);
    this.#report(message);
  }

  /** Forgets the error of an object that is now valid or deleted. */
  remove(key: string): void {
    this.#messages.delete(key);
  }
}

/** Returns in one line why a schema rejects an object: `spec.address: Invalid input`. */
export function describeInvalid(error: unknown): string {
  if (!(error instanceof z.ZodError)) return getErrorMessage(error);
  return error.issues.map(({ path, message }) => `${path.map(String).join(".")}: ${message}`).join("; ");
}
