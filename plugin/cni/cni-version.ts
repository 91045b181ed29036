/** Supported CNI spec versions, oldest first. */
export const SUPPORTED_VERSIONS = ["0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0"] as const;

/**
 * Returns the response to VERSION (CNI spec 1.1.0, section 5). This file has no imports, so that a runtime that queries every
 * plugin waits only for the start of the executable.
 */
export function answerVersion(stdin: string): unknown {
  return {
    cniVersion: readRequestedVersion(stdin) ?? SUPPORTED_VERSIONS.at(-1),
    supportedVersions: SUPPORTED_VERSIONS,
  };
}

/** Reads "the value of cniVersion specified on the input" (section 2 "VERSION"); undefined if the runtime omits it. */
function readRequestedVersion(stdin: string): string | undefined {
  try {
    const { cniVersion } = JSON.parse(stdin) as { readonly cniVersion?: unknown };
    return typeof cniVersion === "string" ? cniVersion : undefined;
  } catch {
    return undefined;
  }
}
