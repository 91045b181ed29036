import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { useDirectory } from "../testing/use-directory.ts";
import { type Attachment, listAttachments, readAttachment, removeAttachment, writeAttachment } from "./attachment.ts";

const ATTACHMENT: Attachment = {
  containerId: "c1",
  ifname: "eth0",
  netns: "/var/run/netns/c1",
  pod: { namespace: "shop", name: "web", uid: "u1" },
  plan: { items: [] },
};

describe("records of attachments", () => {
  const directory = useDirectory();
  const read = () => readAttachment("c1", "eth0", directory);

  it("returns the same object while the record is unchanged, and the new one after a change", () => {
    writeAttachment(ATTACHMENT, directory);
    const first = read();
    assert.equal(first?.netns, ATTACHMENT.netns);
    assert.equal(read(), first);
    writeAttachment({ ...ATTACHMENT, netns: "/var/run/netns/other" }, directory);
    assert.equal(read()?.netns, "/var/run/netns/other");
  });

  it("returns nothing after the record was removed, by this or another process", () => {
    writeAttachment(ATTACHMENT, directory);
    assert.equal(listAttachments(directory).length, 1);
    removeAttachment("c1", "eth0", directory);
    assert.deepEqual([read(), listAttachments(directory)], [undefined, []]);
    writeAttachment(ATTACHMENT, directory);
    rmSync(join(directory, "c1-eth0.json"));
    assert.deepEqual([read(), listAttachments(directory)], [undefined, []]);
  });
});
