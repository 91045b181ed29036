import assert from "node:assert/strict";
import { buildContainerCommand, buildLabCommand, buildPodCommand } from "./nsenter.ts";

describe("commands that enter a lab's namespaces", () => {
  it("enter the lab's process namespace before the machine's namespaces", () => {
    assert.equal(
      buildLabCommand(4711, 12, ["ip", "link"]).join(" "),
      "nsenter --target 4711 --pid --mount --root --wd -- nsenter --target 12 --mount --net --uts --root --wd -- ip link",
    );
  });

  it("enter a pod's network namespace by its path on the machine", () => {
    assert.match(
      buildPodCommand(12, "/var/run/netns/cni-1", ["ip"]).join(" "),
      /--wd -- nsenter --net=\/var\/run\/netns\/cni-1 -- ip$/,
    );
    assert.match(buildPodCommand(12, undefined, ["ip"]).join(" "), /--wd -- ip$/);
  });

  it("mount outer directories before inner ones", () => {
    const mount = (target: string) => ({ kind: "dir", source: "/s", target }) as const;
    const argv = buildContainerCommand("host", [mount("/run/a/b"), mount("/run/a")], ["sh"]);
    assert.deepEqual(argv.slice(-8), ["dir", "/s", "/run/a", "dir", "/s", "/run/a/b", "--", "sh"]);
  });
});
