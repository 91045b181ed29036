import assert from "node:assert/strict";
import { lstatSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { installPlugin } from "./install.ts";
import { createNodeDirectories } from "./node-paths.ts";
import { useDirectory } from "../../testing/use-directory.ts";

describe("directories of a node", () => {
  const directory = useDirectory();
  let elsewhere: string;
  beforeEach(() => {
    elsewhere = join(directory, "elsewhere");
    for (const name of ["elsewhere", "bin", "image"]) mkdirSync(join(directory, name));
    writeFileSync(join(elsewhere, "file"), "of another program");
  });

  it("get the plugins without following planted links", async () => {
    const [bin, image] = [join(directory, "bin"), join(directory, "image")];
    for (const name of ["interlay", "interlay-full"]) writeFileSync(join(image, name), `program ${name}`);
    for (const name of ["interlay.new", "interlay-full.new"]) symlinkSync(join(elsewhere, "file"), join(bin, name));
    symlinkSync(join(image, "interlay"), join(bin, "interlay")); // the same content: its owner could change it later
    symlinkSync(elsewhere, join(bin, "interlay-lib"));
    await installPlugin(bin, join(image, "interlay-full"));
    assert.equal(readFileSync(join(elsewhere, "file"), "utf8"), "of another program");
    assert.deepEqual(readdirSync(elsewhere), ["file"]);
    for (const name of ["interlay", "interlay-full"]) {
      assert.ok(lstatSync(join(bin, name)).isFile(), `${name} is a link`);
      assert.equal(statSync(join(bin, name)).mode & 0o7777, 0o755);
      assert.equal(readFileSync(join(bin, name), "utf8"), `program ${name}`);
    }
    assert.ok(lstatSync(join(bin, "interlay-lib")).isDirectory());
    assert.deepEqual(readdirSync(bin).sort(), ["interlay", "interlay-full", "interlay-ipam", "interlay-lib"]);
  });

  it("are for their owner only, also if kubelet created them", () => {
    const paths = createPaths();
    mkdirSync(paths.stateDirectory, { mode: 0o755 });
    createNodeDirectories(paths);
    for (const path of [paths.stateDirectory, paths.runDirectory, paths.logDirectory])
      assert.equal(statSync(path).mode & 0o777, 0o700, path);
  });

  for (const name of ["stateDirectory", "runDirectory", "logDirectory"] as const)
    it(`are refused if ${name} is a planted link`, () => {
      const paths = createPaths();
      symlinkSync(elsewhere, paths[name]);
      const mode = statSync(elsewhere).mode;
      assert.throws(() => {
        createNodeDirectories(paths);
      }, /is a symbolic link: remove it/);
      assert.equal(statSync(elsewhere).mode, mode);
    });

  const createPaths = () => ({
    binDirectory: join(directory, "bin"),
    stateDirectory: join(directory, "state"),
    runDirectory: join(directory, "run"),
    logDirectory: join(directory, "log"),
  });
});
