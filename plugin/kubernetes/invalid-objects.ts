import { z } from "zod";
import { getErrorMessage } from "../errors/error-message.ts";

/** Objects of one kind that its schema rejects: each is reported once, until it changes. */
export class InvalidObjects {
  readonly #report: (message: string) => void;
  readonly #messages = new Map<string, string>();

  /** @param report called with what is wrong with an object, once */
  constructor(report: (message: string) => void) {
    this.#report = report;
  }

  /** Records that an object is invalid, and reports it unless the same was reported before. */
  record(key: string, message: string): void {
    if (this.#messages.get(key) === message) return;
    this.#messages.set(key, message);
    this.#report(message);
  }

  /** Removes an object that is valid or deleted. */
  remove(key: string): void {
    this.#messages.delete(key);
  }
}

/** Returns in one line why a schema rejects an object: `spec.address: Invalid input`. */
export function describeInvalid(error: unknown): string {
  if (!(error instanceof z.ZodError)) return getErrorMessage(error);
  return error.issues.map(({ path, message }) => `${path.map(String).join(".")}: ${message}`).join("; ");
}
