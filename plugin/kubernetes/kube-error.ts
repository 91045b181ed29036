import { z } from "zod";

/** The API server responded with an error status. */
export class KubeError extends Error {
  /** HTTP status: 404 missing, 409 exists already or changed since, 403 forbidden, 422 rejected by the schema. */
  readonly status: number;
  /** Milliseconds that the API server asks to wait before the next attempt. */
  readonly retryAfter: number | undefined;

  constructor(status: number, message: string, retryAfter?: number) {
    super(message);
    this.name = "KubeError";
    this.status = status;
    this.retryAfter = retryAfter;
  }
}

/** Reports whether the API server responded with one of the statuses. */
export function hasStatus(error: unknown, ...statuses: readonly number[]): boolean {
  return error instanceof KubeError && statuses.includes(error.status);
}

/** Returns the milliseconds that the API server asks to wait; undefined if it does not. */
export function readRetryAfter(error: unknown): number | undefined {
  return error instanceof KubeError ? error.retryAfter : undefined;
}

const statusBody = z.object({ message: z.string().optional(), reason: z.string().optional() });

/** Builds the error of a response. @param action verb and path of the request, for a response that has no message */
export function buildKubeError(status: number, text: string, action: string, retryAfter?: number): KubeError {
  const body = statusBody.safeParse(parseResponseJson(text));
  return new KubeError(
    status,
    (body.success ? body.data.message : undefined) ?? `${action}: HTTP ${status}`,
    retryAfter,
  );
}

/** Parses a body; one that is not JSON becomes the message of a status. */
export function parseResponseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return { message: text.slice(0, 200) };
  }
}
