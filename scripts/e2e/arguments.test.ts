import assert from "node:assert/strict";
import { withoutOptions } from "./arguments.ts";

describe("arguments without some options", () => {
  const remove = (argv: string) => withoutOptions(argv.split(" "), ["--environment", "--name"], ["--json"]).join(" ");

  it("leaves the other arguments in their order", () => {
    assert.equal(
      remove("--provider lab --environment all --cells x --name=a --json --keep"),
      "--provider lab --cells x --keep",
    );
  });
});
