import { Command } from "commander";
import packageJson from "../../../package.json" with { type: "json" };
import { addCommonOptions, addInheritedOptions, inheritOptions } from "./common-options.ts";

/** A command of `interlay`: its line in the help, and how to load its options and its action. */
interface LoadedVerb {
  readonly name: string;
  readonly summary: string;
  readonly group?: string;
  /** Whether the command is for programs, and not in the help. */
  readonly hidden?: true;
  /** Loads the modules of the command, which can take a second. */
  readonly load: () => Promise<Command>;
}

/** A command with subcommands. */
interface VerbGroup {
  readonly name: string;
  readonly summary: string;
  readonly group?: string;
  readonly verbs: readonly Verb[];
}
export type Verb = LoadedVerb | VerbGroup;

const EXIT_STATUS = `
Exit status:
  0    success
  1    the result is negative: a cell failed, a check found an error, a node is not ready
  2    the command could not do its work, or its usage is wrong
  130  interrupted`;

/**
 * Creates the command tree of `interlay`. Of all commands only the named one is loaded; the others have a name and a summary.
 * @param argv arguments, from which the command is found; undefined: every command is loaded
 */
export async function createProgram(verbs: readonly Verb[], argv?: readonly string[]): Promise<Command> {
  const program = addInheritedOptions(new Command("interlay"))
    .description("Overlay, underlay and multi-NIC pods in one Kubernetes cluster: install, inspect, test")
    .version(packageJson.version, "-V, --version", "print the version")
    .addHelpText(
      "after",
      `
Global options, before or after a command that has them: --kubeconfig, --context, --namespace, --output, --timeout,
--yes, --quiet, --verbose, --no-color.
${EXIT_STATUS}`,
    )
    .hook("preAction", (_, command) => {
      inheritOptions(command);
    });
  await addVerbs(program, verbs, argv && listWords(program, argv));
  prepareCommand(program);
  return program;
}

async function addVerbs(parent: Command, verbs: readonly Verb[], words?: readonly string[]): Promise<void> {
  for (const verb of verbs) {
    const [firstWord, ...remainingWords] = words ?? [];
    const isNamed = words === undefined || firstWord === verb.name;
    const command = await createVerb(verb, isNamed, words && remainingWords);
    const hidden = "hidden" in verb;
    parent.addCommand(verb.group === undefined ? command : command.helpGroup(verb.group), { hidden });
  }
}

async function createVerb(verb: Verb, isNamed: boolean, words?: readonly string[]): Promise<Command> {
  if ("verbs" in verb) {
    const group = addInheritedOptions(new Command(verb.name)).description(verb.summary).enablePositionalOptions();
    if (isNamed) await addVerbs(group, verb.verbs, words);
    return group;
  }
  if (!isNamed) return new Command(verb.name).description(verb.summary);
  const command = await verb.load();
  if (command.name() !== verb.name) throw new Error(`command ${command.name()} is registered as ${verb.name}`);
  return command.summary(verb.summary);
}

/** Returns the arguments that are neither options nor values of options that stand before a command. */
function listWords(program: Command, argv: readonly string[]): readonly string[] {
  return argv.filter((argument, index) => {
    const previous = argv[index - 1];
    const option = program.options.find(
      ({ short, long }) => previous !== undefined && [short, long].includes(previous),
    );
    return !argument.startsWith("-") && option?.required !== true;
  });
}

/** Applies the settings of all commands: errors are thrown, options follow their command, the help has one form. */
function prepareCommand(command: Command): void {
  command.exitOverride().enablePositionalOptions().showSuggestionAfterError().helpCommand(false);

  if (!command.options.some(({ long }) => long === "--quiet")) addCommonOptions(command);
  for (const child of command.commands) prepareCommand(child);
}
