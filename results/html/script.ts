import { join } from "node:path";
import { build } from "esbuild";

let built: Promise<string> | undefined;

/** Bundles the page's script, so that the report needs no network. */
export function buildPageScript(): Promise<string> {
  built ??= build({
    entryPoints: [join(import.meta.dirname, "..", "browser", "main.ts")],
    bundle: true,
    minify: true,
    write: false,
    format: "iife",
    target: "es2022",
  }).then(({ outputFiles }) => (outputFiles[0]?.text ?? "").replaceAll("</script", "<\\/script"));
  return built;
}
