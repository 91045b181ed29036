import tab from "@bomb.sh/tab";
import registerCommands from "@bomb.sh/tab/commander";
import { Argument, Command } from "commander";
import { createProgram, type Verb } from "../program/program.ts";

/** `interlay completion`: the script that a shell reads; it calls `interlay complete` for each completion. */
export function createCompletionCommand(): Command {
  return new Command("completion")
    .description("print the completion script of a shell")
    .addArgument(new Argument("<shell>", "shell").choices(["bash", "zsh", "fish"]))
    .addHelpText("after", "\nExamples:\n  source <(interlay completion bash)\n  interlay completion fish | source")
    .action((shell: string) => {
      tab.setup("interlay", "interlay", shell);
    });
}

/** `interlay complete -- WORDS`: prints the completions of the last word. Loads only the command that the words name. */
export function createCompleteCommand(verbs: readonly Verb[]): Command {
  return new Command("complete")
    .description("print the completions of a command line, for the script of interlay completion")
    .argument("[words...]")
    .action(async (words: readonly string[]) => {
      const program = await createProgram(
        verbs.filter(({ name }) => name !== "complete"),
        words.slice(0, -1),
      );
      const names = new Set(program.commands.map((command) => command.name()));
      registerCommands(program, {
        completionCommandName: names.has("completion") ? "completion-script" : "completion",
      });
      tab.parse([...words]);
    });
}
