import assert from "node:assert/strict";
import type { Command } from "commander";
import { createProgram } from "./program/program.ts";
import { VERBS } from "./verbs.ts";

describe("the commands of interlay", () => {
  let commands: readonly Command[];

  before(async function () {
    this.timeout(60_000);
    commands = listLeaves(await createProgram(VERBS));
  });

  it("the commands of interlay have a description, and one for each option and argument", () => {
    const missing = commands.flatMap((command) => [
      ...(command.description() === "" ? [command.name()] : []),
      ...command.options.flatMap(({ description, long }) => (description === "" ? [`${command.name()} ${long}`] : [])),
    ]);
    assert.deepEqual(missing, []);
  });

  it("the commands of interlay use -o, -n, -q and -v only for the global options", () => {
    const shorts = new Map([
      ["-o", "--output"],
      ["-n", "--namespace"],
      ["-q", "--quiet"],
      ["-v", "--verbose"],
    ]);
    for (const command of commands)
      for (const { short, long } of command.options)
        if (short !== undefined && shorts.has(short)) assert.equal(long, shorts.get(short), command.name());
  });

  it("the commands of interlay have the options --quiet, --verbose and --no-color", () => {
    for (const command of commands)
      for (const option of ["--quiet", "--verbose", "--no-color"])
        assert.ok(
          command.options.some(({ long }) => long === option),
          `${command.name()} lacks ${option}`,
        );
  });

  it("the commands of interlay name the choices and the default of --provider in the help", () => {
    for (const command of commands)
      for (const option of command.options.filter(({ long }) => long === "--provider"))
        assert.ok(option.argChoices?.includes("lab"), command.name());
  });
});

function listLeaves(command: Command): readonly Command[] {
  return command.commands.length === 0 ? [command] : command.commands.flatMap(listLeaves);
}
