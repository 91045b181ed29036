import assert from "node:assert/strict";
import { confineCommand } from "./confine-command.ts";

describe("a container's command in a lab", () => {
  const confine = (capabilities?: { readonly add?: string[]; readonly drop?: string[] }) =>
    confineCommand({ name: "c", ...(capabilities === undefined ? {} : { securityContext: { capabilities } }) }, [
      "run",
    ]);

  it("runs with all capabilities unless the container drops them", () => {
    assert.deepEqual(confine(), ["run"]);
    assert.deepEqual(confine({ add: ["NET_ADMIN"] }), ["run"]);
  });

  it("runs with the added capabilities alone if the container drops all", () => {
    assert.deepEqual(confine({ drop: ["ALL"], add: ["NET_ADMIN", "NET_RAW"] }).slice(3), [
      "-all,+net_admin,+net_raw",
      "run",
    ]);
    assert.deepEqual(confine({ drop: ["ALL"] }).slice(3), ["-all", "run"]);
  });
});
