import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { ROOT } from "../lint/language.ts";

/** Pages for users and contributors, relative to the repository. */
export const PAGES: readonly string[] = [
  "README.md",
  "CONTRIBUTING.md",
  "clusters/lab/README.md",
  ...readdirSync(join(ROOT, "docs"), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".md") && !name.startsWith("node_modules"))
    .map((name) => `docs/${name}`),
];

/** Returns the npm scripts of package.json by name. */
export function readScripts(): Readonly<Record<string, string>> {
  const schema = z.object({ scripts: z.record(z.string(), z.string()) });
  return schema.parse(JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"))).scripts;
}

/** A command in a page, such as `npm run NAME -- --option …`, between backticks or in a line of code. */
interface DocumentedCommand {
  readonly page: string;
  /** The command as written, without a comment after it. */
  readonly line: string;
  readonly script: string;
  /** Subcommand of the script, such as `check` of `npm run ipam -- check --repair`; empty without one. */
  readonly subcommand: string;
  /** Long options that the page writes. */
  readonly options: readonly string[];
}

/** Finds the npm commands in a page. */
export function findCommands(page: string): readonly DocumentedCommand[] {
  const text = readFileSync(join(ROOT, page), "utf8");
  return [...text.matchAll(/npm (?:run )?([a-z][\w:-]*)((?: -- [^`#\n|]*)?)/g)].flatMap(
    ([line, script = "", argumentText = ""]) =>
      ["ci", "exec", "install"].includes(script) || (script !== "test" && !text.includes(`npm run ${script}`))
        ? []
        : [
            {
              page,
              line: line.trim(),
              script,
              subcommand: /^ -- ([a-z][a-z-]*)/.exec(argumentText)?.[1] ?? "",
              options: [...argumentText.matchAll(/--[a-z][\w-]*/g)].map(([option]) => option),
            },
          ],
  );
}
