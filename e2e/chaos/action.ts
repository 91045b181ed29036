import type { World } from "./world.ts";

/** Something that happens to clusters. Says what it did. */
export interface Action {
  readonly name: string;
  /** Whether it can be done there. */
  readonly fits?: (world: World) => boolean;
  readonly act: (world: World) => Promise<string>;
}
