import { join } from "node:path";
import { compileBun } from "../../plugin/deploy/compile.ts";
import { type Platform, selectToolchain } from "../../plugin/deploy/platform.ts";

/**
 * Builds the probe's executable.
 * @param platform undefined: this machine's
 * @returns its path
 */
export function buildProbe(platform?: Platform): Promise<string> {
  const source = import.meta.dirname;
  return compileBun(
    {
      entry: join(source, "main.ts"),
      sources: [source, join(source, "../../plugin/netlink"), join(source, "../../plugin/errors")],
      output: join(source, "dist", ...(platform === undefined ? [] : [platform.replace("/", "-")]), "probe"),
    },
    selectToolchain(platform),
  );
}
