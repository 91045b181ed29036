import assert from "node:assert/strict";
import { Command } from "commander";
import { addClusterOptions, addGlobalOptions } from "./common-options.ts";
import { createProgram, type Verb } from "./program.ts";

describe("the command tree", () => {
  let loaded: string[];
  let seen: Readonly<Record<string, unknown>>;
  const createLeaf = (name: string) => {
    loaded.push(name);
    const command = new Command(name).option("--own <value>");
    return addGlobalOptions(addClusterOptions(command), ["output"]).action((options: typeof seen) => {
      seen = options;
    });
  };
  const createVerb = (name: string): Verb => ({ name, summary: name, load: () => Promise.resolve(createLeaf(name)) });
  const verbs: readonly Verb[] = [
    createVerb("status"),
    createVerb("doctor"),
    { name: "cluster", summary: "clusters", verbs: [createVerb("up"), createVerb("down")] },
  ];
  const run = async (...argv: string[]) => {
    const program = await createProgram(verbs, argv);
    for (const command of [program, ...program.commands, ...program.commands.flatMap(({ commands }) => commands)])
      command.configureOutput({ writeErr: () => undefined, writeOut: () => undefined });
    await program.parseAsync(argv, { from: "user" });
  };

  beforeEach(() => {
    loaded = [];
    seen = {};
  });

  it("loads only the command that is named", async () => {
    await run("cluster", "up");
    assert.deepEqual(loaded, ["up"]);
  });

  it("loads every command without arguments", async () => {
    await createProgram(verbs);
    assert.deepEqual(loaded, ["status", "doctor", "up", "down"]);
  });

  it("finds the command after a global option and its value", async () => {
    await run("--context", "doctor", "status");
    assert.deepEqual(loaded, ["status"]);
    assert.equal(seen["context"], "doctor");
  });

  it("gives global options that stand before a command, or before its group, to the command", async () => {
    await run("-o", "json", "cluster", "--kubeconfig", "file", "up", "--own", "x");
    assert.equal(seen["output"], "json");
    assert.equal(seen["kubeconfig"], "file");
    assert.equal(seen["own"], "x");
  });

  it("prefers the option after the command", async () => {
    await run("-o", "json", "status", "-o", "yaml");
    assert.equal(seen["output"], "yaml");
  });

  it("keeps the default of a global option that is not given", async () => {
    await run("status");
    assert.equal(seen["output"], "table");
    assert.equal(seen["color"], true);
  });

  it("refuses a global option that the command does not have", async () => {
    await assert.rejects(run("--timeout", "3", "status"), /--timeout does not apply to status/);
  });

  it("refuses a format that does not exist", async () => {
    await assert.rejects(run("status", "-o", "xml"), /Allowed choices are table, json, yaml/);
  });
});
