/** Calls of a node that waited for an address of the same block when it created this one: other nodes leave them addresses. */
const WAITING_ANNOTATION = "interlay.dev/waiting-calls";

type Annotations = Readonly<Record<string, string>>;

/** Builds the annotations of a new UnderlayAddress. */
export function buildWaitingAnnotations(waiting: number): Annotations {
  return waiting === 0 ? {} : { [WAITING_ANNOTATION]: String(waiting) };
}

/** Reads the number of waiting calls; 0 without a valid annotation. */
export function readWaitingCalls(annotations: Annotations): number {
  const waiting = Number(annotations[WAITING_ANNOTATION] ?? 0);
  return Number.isSafeInteger(waiting) && waiting > 0 ? waiting : 0;
}
