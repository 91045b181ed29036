import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { Semaphore } from "./semaphore.ts";

describe("turns", () => {
  it("lets so many work at a time, and those that fail free their turn", async () => {
    const turns = new Semaphore(2);
    let now = 0;
    let most = 0;
    const works = Array.from({ length: 7 }, (_, index) =>
      turns.run(async () => {
        most = Math.max(most, ++now);
        await sleep(1);
        now -= 1;
        if (index % 2 === 0) throw new Error("failed");
      }),
    );
    const ended = await Promise.allSettled(works);
    assert.equal(ended.filter(({ status }) => status === "rejected").length, 4);
    assert.equal(most, 2);
  });

  it("lets one work alone: after those before it, and before those after it", async () => {
    const turns = new Semaphore(2);
    const said: string[] = [];
    const work = (name: string) => async () => {
      said.push(`${name} begins`);
      await sleep(1);
      said.push(`${name} ends`);
    };
    await Promise.all([
      turns.run(work("a")),
      turns.run(work("b")),
      turns.runExclusively(work("alone")),
      turns.run(work("c")),
    ]);
    const at = said.indexOf("alone begins");
    assert.equal(said[at + 1], "alone ends", said.join(", "));
    assert.ok(at > said.indexOf("a ends") && at > said.indexOf("b ends"), said.join(", "));
  });

  it("goes on past one that hangs", async () => {
    const turns = new Semaphore(2);
    void turns.run(() => new Promise(() => undefined));
    const answers = await Promise.all([1, 2, 3].map((n) => turns.run(() => Promise.resolve(n))));
    assert.deepEqual(answers, [1, 2, 3]);
  });
});
