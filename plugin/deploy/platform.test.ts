import assert from "node:assert/strict";
import { selectToolchain } from "./platform.ts";

describe("the toolchain of a build", () => {
  it("is this machine's Bun and musl without a platform", () => {
    const { bunTarget, bunRuntime, compiler } = selectToolchain(undefined, "x64");
    assert.deepEqual([bunTarget, bunRuntime, compiler], ["bun-linux-x64", undefined, "musl-gcc"]);
    assert.equal(selectToolchain(undefined, "arm64").bunTarget, "bun-linux-arm64");
  });

  it("needs no AVX2 for linux/amd64", () => {
    const { bunTarget, bunRuntime, compiler } = selectToolchain("linux/amd64", "x64");
    assert.deepEqual(
      [bunTarget, bunRuntime?.name, compiler],
      ["bun-linux-x64-baseline", "@oven/bun-linux-x64-baseline", "musl-gcc"],
    );
  });

  for (const [platform, machine, compiler] of [
    ["linux/arm64", "x64", "aarch64-linux-gnu-gcc"],
    ["linux/amd64", "arm64", "x86_64-linux-gnu-gcc"],
    ["linux/arm64", "arm64", "musl-gcc"],
    ["linux/amd64", "riscv64", "x86_64-linux-gnu-gcc"],
  ] as const)
    it(`compiles the launcher for ${platform} on ${machine} with ${compiler}`, () => {
      assert.equal(selectToolchain(platform, machine).compiler, compiler);
    });

  it("is unknown for a machine that is not supported", () => {
    assert.throws(() => selectToolchain(undefined, "riscv64"), /cannot build for riscv64: name a platform/);
  });
});
