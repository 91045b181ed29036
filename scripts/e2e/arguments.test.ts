import assert from "node:assert/strict";
import { Command } from "commander";
import { listArguments } from "./arguments.ts";

function parse(...argv: string[]): Command {
  return new Command("e2e")
    .option("--provider <name>", "", "kind")
    .option("--name <name>", "", "interlay")
    .option("--environment <list>")
    .option("--keep")
    .option("--taint <value>", "", (value, all: readonly string[]) => [...all, value], [])
    .option("--no-host-pods")
    .parse(argv, { from: "user" });
}

describe("arguments of e2e in another process", () => {
  it("arguments of e2e in another process are the options that were given, and the provider", () => {
    assert.deepEqual(listArguments(parse("--keep", "--name=x"), []), ["--provider", "kind", "--name", "x", "--keep"]);
  });

  it("lack the options that the other process gets with other values", () => {
    assert.deepEqual(listArguments(parse("--environment", "all", "--name", "x"), ["environment", "name"]), [
      "--provider",
      "kind",
    ]);
  });

  it("repeat an option that was given several times", () => {
    const argv = ["--taint", "a", "--taint", "b"];
    assert.deepEqual(listArguments(parse(...argv), ["provider"]), argv);
  });

  it("arguments of e2e in another process contain a negated option only if it was given", () => {
    assert.deepEqual(listArguments(parse("--no-host-pods"), ["provider"]), ["--no-host-pods"]);
    assert.deepEqual(listArguments(parse(), ["provider"]), []);
  });
});
