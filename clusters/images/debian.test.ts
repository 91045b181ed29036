import assert from "node:assert/strict";
import { chooseListedMirror, chooseMirror } from "./debian.ts";

describe("chooseMirror", () => {
  const targets = [
    "https://mirror.example/debian-security/ bookworm-security main",
    "https://mirror.example/debian/ bookworm contrib",
    "https://mirror.example/debian/ bookworm main",
  ].join("\n");

  it("returns the mirror of the release's main component", () => {
    assert.deepEqual(chooseMirror(targets, "bookworm"), {
      url: "https://mirror.example/debian/",
      suite: "bookworm",
      components: ["main"],
    });
  });

  it("returns Ubuntu's universe with main", () => {
    const ubuntu = ["main", "restricted", "universe", "multiverse"].map(
      (component) => `mirror+file:/etc/apt/apt-mirrors.txt noble ${component}`,
    );
    assert.deepEqual(chooseMirror(ubuntu.join("\n"), "noble"), {
      url: "mirror+file:/etc/apt/apt-mirrors.txt",
      suite: "noble",
      components: ["main", "universe"],
    });
  });

  it("returns undefined if apt has no index of the release", () => {
    assert.equal(chooseMirror(targets, "trixie"), undefined);
    assert.equal(chooseMirror("", "bookworm"), undefined);
  });
});

describe("chooseListedMirror", () => {
  const rows: readonly (readonly [title: string, list: string, expected: string | undefined])[] = [
    [
      "returns the mirror with the lowest priority",
      "https://archive.example/ubuntu/\tpriority:2\nhttp://near.example/ubuntu/\tpriority:1\n",
      "http://near.example/ubuntu/",
    ],
    [
      "returns the first of mirrors without a priority",
      "# list\nhttp://a.example/ubuntu\nhttp://b.example/ubuntu\n",
      "http://a.example/ubuntu",
    ],
    ["returns undefined for a list without a mirror", "# nothing\n\n", undefined],
  ];
  for (const [title, list, expected] of rows)
    it(title, () => {
      assert.equal(chooseListedMirror(list), expected);
    });
});
