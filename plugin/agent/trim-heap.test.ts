import assert from "node:assert/strict";
import { parseCodeMappings } from "./trim-heap.ts";

const MAPS = `00200000-01a39000 r--p 00000000 fe:00 53                 /usr/local/bin/interlay
01a40000-0684a000 r-xp 01838000 fe:00 53                 /usr/local/bin/interlay
0685f000-06867000 r--p 06656000 fe:00 53                 /usr/local/bin/interlay
06867000-0707d000 rw-p 0665e000 fe:00 53                 /usr/local/bin/interlay
7f68f091f000-7f693091f000 rwxp 00000000 00:00 0
7f6930c8a000-7f6930de0000 r-xp 00026000 fe:00 32         /usr/lib/x86_64-linux-gnu/libc.so.6
`;

describe("memory", () => {
  it("should find mappings of the program's code and constants, and no writable ones", () => {
    assert.deepEqual(parseCodeMappings(MAPS, "/usr/local/bin/interlay"), [
      { start: 0x00200000, end: 0x01a39000 },
      { start: 0x01a40000, end: 0x0684a000 },
    ]);
  });
});
