import type { StatusCondition } from "../../kubernetes/status-schemas.ts";
import type { EventObject, EventRecorder } from "./event-recorder.ts";

/** A problem of an object that its administrator has to solve. */
export interface ObjectWarning {
  /** Reason of the Event, one word. */
  readonly reason: string;
  readonly message: string;
}

/** Time in milliseconds after which a False condition is reported: shorter times are those of a starting agent or a change. */
const SETTLED_MS = 30_000;

/** Lists the conditions of a node that have been False for SETTLED_MS. */
export function listNodeWarnings(conditions: readonly StatusCondition[], now: Date): readonly ObjectWarning[] {
  return conditions
    .filter(
      ({ status, lastTransitionTime }) =>
        status === "False" && now.getTime() - Date.parse(lastTransitionTime) >= SETTLED_MS,
    )
    .map(({ type, reason, message }) => ({ reason: `${type}False`, message: `${reason}: ${message}` }));
}

/** Writes an Event for each warning of an object that its last report did not have. */
export class WarningReporter {
  readonly #recorder: Pick<EventRecorder, "warnAbout">;
  /** Reasons of the last report of each object. */
  readonly #reported = new Map<string, ReadonlySet<string>>();

  constructor(recorder: Pick<EventRecorder, "warnAbout">) {
    this.#recorder = recorder;
  }

  async report(object: EventObject, warnings: readonly ObjectWarning[]): Promise<void> {
    const key = `${object.kind}/${object.name}`;
    const previousReasons = this.#reported.get(key);
    this.#reported.set(key, new Set(warnings.map(({ reason }) => reason)));
    for (const { reason, message } of warnings)
      if (previousReasons?.has(reason) !== true) await this.#recorder.warnAbout(object, reason, message);
  }
}
