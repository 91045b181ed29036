import assert from "node:assert/strict";
import { link, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { findPodNamespaces } from "./find-pod-namespaces.ts";
import { useDirectory } from "../../testing/use-directory.ts";

describe("network namespaces of a node's pods", () => {
  const directory = useDirectory();
  beforeEach(async () => {
    for (const name of ["cni-2", "cni-1", "default"]) await writeFile(join(directory, name), "");
  });

  it("network namespaces of a node's pods are the files of the runtimes' directories without the node's own, each once", async () => {
    await link(join(directory, "cni-1"), join(directory, "same-as-cni-1"));
    const own = await stat(join(directory, "default"));
    const found = await findPodNamespaces(own, [join(directory, "missing"), directory]);
    assert.deepEqual(
      found.map(({ name }) => name),
      ["cni-1", "cni-2"],
    );
  });

  it("network namespaces of a node's pods are not files of another file system: what a deleted namespace leaves behind", async () => {
    const { ino } = await stat(join(directory, "default"));
    assert.deepEqual(await findPodNamespaces({ ino, dev: -1 }, [directory]), []);
  });
});
