import type { Command } from "commander";
import { format, resolveConfig } from "prettier";
import { renderCliReference } from "./reference.ts";

/** Returns the content of docs/reference/cli.md, in the project's format. @param file path of the page, for Prettier's configuration */
export async function formatReference(program: Command, file: string): Promise<string> {
  return format(renderCliReference(program), { ...(await resolveConfig(file)), parser: "markdown" });
}
