import assert from "node:assert/strict";
import { parsePolicyRules } from "./parts.ts";

describe("the configuration that is removed", () => {
  it("ignores the kernel's own rules", () => {
    const listed =
      "0:\tfrom all lookup local\n32:\tfrom all fwmark 0x1/0x1 lookup 101 proto static\n32766:\tfrom all lookup main\n";
    assert.deepEqual(parsePolicyRules(listed), ["priority 32 from all fwmark 0x1/0x1 lookup 101 proto static"]);
  });
});
