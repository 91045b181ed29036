import assert from "node:assert/strict";
import { findEnvironment } from "../environments/registry.ts";
import { listOverlayVersions } from "./overlay-versions.ts";

describe("listOverlayVersions", () => {
  const table = [
    ["default", "calico"],
    ["flannel-vxlan", "flannel"],
    ["bridge", undefined],
  ] as const;
  for (const [name, overlay] of table)
    it(`names ${overlay ?? "no overlay"} in the environment ${name}`, () => {
      const versions = listOverlayVersions({ environment: findEnvironment(name) });
      assert.deepEqual(Object.keys(versions), overlay === undefined ? [] : [overlay]);
    });
});
