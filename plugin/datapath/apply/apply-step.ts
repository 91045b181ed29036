import type { PlanItem } from "../plan/plan.ts";

/** Takes back what a step made. */
export type Undo = () => void;
/** Told of each item that was made, with how to undo it; undefined: it was there, or goes with something else. */
export type OnApplied = (item: PlanItem, undo: Undo | undefined) => void;
/** Told which item of several is at fault, before it is thrown. */
export type OnAttempt = (item: PlanItem) => void;
