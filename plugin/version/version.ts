import packageJson from "../../package.json" with { type: "json" };

/** Interlay's version: of the executables, of log, metrics and NodeState, of images and chart. */
export const VERSION = packageJson.version;
