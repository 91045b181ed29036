import assert from "node:assert/strict";
import { chooseMirror } from "./debian.ts";

describe("chooseMirror", () => {
  const targets = [
    "https://mirror.example/debian-security/ bookworm-security main",
    "https://mirror.example/debian/ bookworm contrib",
    "https://mirror.example/debian/ bookworm main",
  ].join("\n");

  it("returns the mirror of the release's main component", () => {
    assert.deepEqual(chooseMirror(targets, "bookworm"), { url: "https://mirror.example/debian/", suite: "bookworm" });
  });

  it("returns undefined if apt has no index of the release", () => {
    assert.equal(chooseMirror(targets, "trixie"), undefined);
    assert.equal(chooseMirror("", "bookworm"), undefined);
  });
});
