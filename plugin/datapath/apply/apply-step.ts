import type { PlanItem } from "../plan-item.ts";

/** Undoes one step. */
export type Undo = () => void;
/** Called for each applied item with its undo step; undefined if it already existed or is removed with another object. */
export type OnApplied = (item: PlanItem, undo: Undo | undefined) => void;
/** Called with the item that is being applied, so that a later error can name it. */
export type OnAttempt = (item: PlanItem) => void;
