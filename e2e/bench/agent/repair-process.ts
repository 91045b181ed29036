/**
 * Process that repairs attachments as the agent does, in the node's namespace. Runs under Bun. Arguments: state directory, number of
 * passes. Writes the CPU time of each pass, or of its longest step between two turns of the event loop, in
 * milliseconds.
 */
import { join } from "node:path";
import { repairAttachments } from "../../../plugin/agent/reconcile/repair.ts";
import { readLastFacts } from "../../../plugin/state/facts-file.ts";

const [stateDirectory = "", passes = "1"] = process.argv.slice(2);
// With facts, a pass builds each plan again, as the agent's does.
const facts = readLastFacts(join(stateDirectory, "facts.json"));
if (facts === undefined) throw new Error(`no facts in ${stateDirectory}`);
const outcomes: unknown[] = [];
/** Returns the process' CPU time in milliseconds, which other load of the machine does not change. */
function readCpuTime(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

for (let pass = 0; pass < Number(passes); pass++) {
  const before = readCpuTime();
  let [last, stall, isOver] = [before, 0, false];
  const tick = (): void => {
    const now = readCpuTime();
    stall = Math.max(stall, now - last);
    last = now;
    if (!isOver) setImmediate(tick);
  };
  // The ticks themselves cost processor time, so CPU time is measured in passes without them.
  const isStallMeasured = pass % 2 === 0;
  if (isStallMeasured) setImmediate(tick);
  const { repaired, failed, attachments } = await repairAttachments(facts, stateDirectory);
  isOver = true;
  const measured = isStallMeasured ? { stall } : { cpu: readCpuTime() - before };
  outcomes.push({ attachments, drift: [...repaired, ...failed], ...measured });
}
process.stdout.write(JSON.stringify(outcomes));
process.exit(0);
