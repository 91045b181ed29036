import assert from "node:assert/strict";
import { findEnvironment } from "../environments/registry.ts";
import { listClusterVersions } from "./cluster-versions.ts";

describe("listClusterVersions", () => {
  const table = [
    ["default", "calico"],
    ["flannel-vxlan", "flannel"],
    ["bridge", undefined],
  ] as const;
  for (const [name, overlay] of table)
    it(`names ${overlay ?? "no overlay"} in the environment ${name}`, () => {
      const versions = listClusterVersions({ kubernetes: "v1.29.15", environment: findEnvironment(name) });
      const overlays = Object.keys(versions).filter((key) => ["calico", "flannel"].includes(key));
      assert.deepEqual(overlays, overlay === undefined ? [] : [overlay]);
    });
});
