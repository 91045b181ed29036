import { join } from "node:path";
import { build } from "esbuild";

const built = new Map<string, Promise<string>>();

/**
 * Bundles a page's script, so that the page needs no network.
 * @param file in results/browser
 */
export function buildPageScript(file: string): Promise<string> {
  const cached = built.get(file);
  if (cached !== undefined) return cached;
  const script = build({
    entryPoints: [join(import.meta.dirname, "..", "browser", file)],
    bundle: true,
    minify: true,
    write: false,
    format: "iife",
    target: "es2022",
  }).then(({ outputFiles }) => (outputFiles[0]?.text ?? "").replaceAll("</script", "<\\/script"));
  built.set(file, script);
  return script;
}
