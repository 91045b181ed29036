import { readFile } from "node:fs/promises";
import { z } from "zod";

const event = z.object({
  auditID: z.string(),
  verb: z.string(),
  requestURI: z.string(),
  requestReceivedTimestamp: z.string(),
  user: z.object({ username: z.string() }),
  sourceIPs: z.array(z.string()).default([]),
  responseStatus: z.object({ code: z.number() }).optional(),
});

/** A request of one of Interlay's accounts, from the API server's audit log. */
interface AccountRequest {
  /** Name of the ServiceAccount in interlay-system. */
  readonly account: string;
  /** Address of the node from which it was sent. */
  readonly source: string;
  readonly verb: string;
  /** Path and selectors, without versions and time limits: equal for the watches of one kind. */
  readonly target: string;
  /** Milliseconds since the epoch. */
  readonly received: number;
  readonly status: number | undefined;
}

/**
 * Reads the requests that the API server received after a time.
 *
 * @throws if the log was rotated since
 */
export async function readRequests(auditLog: string, since: Date): Promise<readonly AccountRequest[]> {
  const events = (await readFile(auditLog, "utf8"))
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => event.parse(JSON.parse(line)));
  const [oldest] = events;
  if (oldest === undefined || Date.parse(oldest.requestReceivedTimestamp) > since.getTime())
    throw new Error(
      `${auditLog} has no requests from before ${since.toISOString()}: it was rotated, or nothing was logged`,
    );
  // A watch has an event at its start and one at its end.
  const requests = new Map(events.map((auditEvent) => [auditEvent.auditID, auditEvent]));
  return [...requests.values()].map(toAccountRequest).filter(({ received }) => received > since.getTime());
}

function toAccountRequest(auditEvent: z.infer<typeof event>): AccountRequest {
  return {
    account: auditEvent.user.username.split(":").at(-1) ?? "",
    source: auditEvent.sourceIPs[0] ?? "",
    verb: auditEvent.verb,
    target: auditEvent.requestURI.replace(/(resourceVersion|timeoutSeconds)=[^&]*&?/g, ""),
    received: Date.parse(auditEvent.requestReceivedTimestamp),
    status: auditEvent.responseStatus?.code,
  };
}

/** Returns the largest number of watches of one kind that one sender opened within a time. */
export function countReopenedWatches(requests: readonly AccountRequest[], milliseconds: number): number {
  const watches = requests.filter(({ verb }) => verb === "watch");
  const counts = watches.map(
    ({ source, target, received: first }) =>
      watches.filter(
        (watch) =>
          watch.source === source &&
          watch.target === target &&
          watch.received >= first &&
          watch.received < first + milliseconds,
      ).length,
  );
  return Math.max(0, ...counts);
}
