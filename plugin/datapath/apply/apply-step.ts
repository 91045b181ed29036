import type { PlanItem } from "../plan-item.ts";

/** Undoes one step. */
export type Undo = () => void;
/** Called for each applied item with its undo step; the step is undefined if the item existed or is removed with another object. */
export type OnApplied = (item: PlanItem, undo: Undo | undefined) => void;
/** Called with the item that is being applied, so that a later error can name it. */
export type OnAttempt = (item: PlanItem) => void;
