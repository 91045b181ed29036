import type { Command } from "commander";
import { format, resolveConfig } from "prettier";
import { renderCliReference } from "./reference.ts";

/** Returns the content of docs/reference/cli.md, in the project's format. @param file its path, which decides the format */
export async function formatReference(program: Command, file: string): Promise<string> {
  return format(renderCliReference(program), { ...(await resolveConfig(file)), parser: "markdown" });
}
