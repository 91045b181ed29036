import assert from "node:assert/strict";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { raiseContainerWeight } from "./container-weight.ts";
import { useDirectory } from "../../plugin/testing/use-directory.ts";

describe("raiseContainerWeight", () => {
  const root = useDirectory();

  /** Creates the files that the kernel has in a hierarchy of control groups with the group `docker`. */
  async function createHierarchy(hierarchy: string, file: string): Promise<string> {
    await mkdir(join(root, hierarchy, "docker"), { recursive: true });
    await writeFile(join(root, hierarchy, "cgroup.procs"), "");
    const path = join(root, hierarchy, "docker", file);
    await writeFile(path, "");
    return path;
  }

  it("gives containers the weight of twenty processes in cgroup v1", async () => {
    const path = await createHierarchy("cpu", "cpu.shares");
    await raiseContainerWeight(root);
    assert.equal(await readFile(path, "utf8"), "20480");
  });

  it("gives containers the weight of twenty processes in cgroup v2", async () => {
    const path = await createHierarchy(".", "cpu.weight");
    await raiseContainerWeight(root);
    assert.equal(await readFile(path, "utf8"), "2000");
  });

  it("writes nothing on a machine without control groups", async () => {
    await raiseContainerWeight(root);
    assert.deepEqual(await readdir(root), []);
  });
});
