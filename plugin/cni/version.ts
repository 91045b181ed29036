/** CNI spec versions that are spoken, in the order of their age. */
export const SUPPORTED_VERSIONS = ["0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0"] as const;

/**
 * CNI spec 1.1.0, section 5 "Version": the answer to VERSION. Apart from all else, so that a runtime that asks every
 * plugin before it calls one waits for nothing but the executable's start.
 */
export function answerVersion(stdin: string): unknown {
  return {
    cniVersion: readRequestedVersion(stdin) ?? SUPPORTED_VERSIONS.at(-1),
    supportedVersions: SUPPORTED_VERSIONS,
  };
}

/** "The value of cniVersion specified on the input" (section 2 "VERSION"); runtimes that say nothing exist. */
function readRequestedVersion(stdin: string): string | undefined {
  try {
    const { cniVersion } = JSON.parse(stdin) as { readonly cniVersion?: unknown };
    return typeof cniVersion === "string" ? cniVersion : undefined;
  } catch {
    return undefined;
  }
}
