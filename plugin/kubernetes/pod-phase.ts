const FINISHED_PHASES: ReadonlySet<string | undefined> = new Set(["Succeeded", "Failed"]);

/** Returns true if all containers of a pod have ended and will not restart. */
export function hasFinished({ phase }: { readonly phase?: string }): boolean {
  return FINISHED_PHASES.has(phase);
}
