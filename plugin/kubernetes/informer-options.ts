import type { ListSource } from "./list-objects.ts";

export interface Selection {
  readonly fieldSelector?: string;
  readonly labelSelector?: string;
}

export interface InformerOptions {
  readonly selection?: Selection;
  /** `cache` by default; `pages` for kinds with many thousands of objects. */
  readonly source?: ListSource;
  /** Called once for each object that `parse` rejects, and again when it is rejected for another reason. */
  readonly reportInvalid?: (message: string) => void;
}
