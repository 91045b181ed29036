import type { World } from "./world.ts";

/** Something that happens to clusters. Says what it did. */
export interface Action {
  readonly name: string;
  /** Whether it can be done there. */
  readonly fits?: (world: World) => boolean;
  readonly act: (world: World) => Promise<string>;
}

/** An action that was done, and after which all was well again. */
export interface Done {
  readonly name: string;
  /** To what or whom. */
  readonly what: string;
  readonly wellAfterMs: number;
}
