import { join } from "node:path";
import { compileBun } from "../../plugin/deploy/compile.ts";

/** Builds the probe's executable. @returns its path */
export function buildProbe(): Promise<string> {
  const source = import.meta.dirname;
  return compileBun({
    entry: join(source, "main.ts"),
    sources: [source, join(source, "../../plugin/netlink"), join(source, "../../plugin/errors")],
    output: join(source, "dist", "probe"),
  });
}
