import { setTimeout as sleep } from "node:timers/promises";
import type { Cluster } from "../../../clusters/provider.ts";
import type { ClusterApi } from "../../support/cluster-api.ts";
import { reserveTokens } from "../../matrix/run.ts";
import { formatToken } from "../../probe/protocol.ts";
import { Prober } from "../../support/prober.ts";
import { NAMESPACE } from "./pods.ts";
import type { ScaleProbe } from "./probes.ts";
import { describeCapture } from "./captures.ts";

const CLIENT = ["/usr/local/bin/probe", "client"];
const TIMEOUT_MS = 5000;
/** With two processors, more probes would wait for each other and look like network errors. */
const PARALLEL = 6;
/** Before a second and a third asking: what was the computer's fault is over by then. */
const PAUSES_MS = [5000, 20_000] as const;
/** Number of failed cells whose packets are captured. */
const LOOKED_AT = 12;

interface ProbeResults {
  /** How many questions were answered at first. */
  readonly first: number;
  /** Answered only when asked again: what was said before. */
  readonly later: readonly string[];
  /** Never answered: what was said, and where the packets were seen. */
  readonly never: readonly string[];
}

interface Unanswered {
  readonly question: ScaleProbe;
  readonly said: string;
}

/** Asks every question; those without an answer again, after a pause, and a third time with captures on their way. */
export async function probeAll(
  cluster: Cluster,
  api: ClusterApi,
  questions: readonly ScaleProbe[],
  say: (line: string) => void,
): Promise<ProbeResults> {
  const probers = await attachAll(api, questions);
  try {
    let open = await probeEach(probers, questions);
    const first = questions.length - open.length;
    const later: string[] = [];
    const note = (before: readonly Unanswered[], after: readonly Unanswered[]): void => {
      const still = new Set(after.map(({ question }) => question));
      for (const { question, said } of before)
        if (!still.has(question)) later.push(`${question.text}: answered when asked again; before: ${said}`);
    };
    if (open.length > 0) {
      say(`${open.length} of ${questions.length} questions have no answer at first; asked again`);
      await sleep(PAUSES_MS[0]);
      const again = await probeEach(
        probers,
        open.map(({ question }) => question),
      );
      note(open, again);
      open = again;
    }
    if (open.length > 0) {
      say(`${open.length} have none the second time; asked again, one by one`);
      await sleep(PAUSES_MS[1]);
      const last: Unanswered[] = [];
      for (const { question } of open) {
        const looked = last.length < LOOKED_AT;
        const said = looked
          ? await describeCapture(cluster, question, (token) => probeCell(probers, question, token))
          : await probeCell(probers, question, formatToken(reserveTokens(1)));
        if (said !== undefined) last.push({ question, said });
      }
      note(open, last);
      open = last;
    }
    return { first, later, never: open.map(({ question, said }) => `${question.text}: ${said}`) };
  } finally {
    await Promise.all([...probers.values()].map((prober) => prober.close()));
  }
}

type Probers = ReadonlyMap<string, Prober>;

/** A client in each pod that asks, all before the first question: their starts are the processors' work, too. */
async function attachAll(api: ClusterApi, questions: readonly ScaleProbe[]): Promise<Probers> {
  const probers = new Map<string, Prober>();
  const names = [...new Set(questions.map(({ source }) => source.name))];
  await inParallel(names, async (name) => {
    probers.set(name, await new Prober(name, await api.attach(NAMESPACE, name, CLIENT)).waitUntilStarted());
  });
  return probers;
}

async function probeEach(probers: Probers, questions: readonly ScaleProbe[]): Promise<readonly Unanswered[]> {
  const open: Unanswered[] = [];
  const token = reserveTokens(questions.length);
  await inParallel([...questions.entries()], async ([index, question]) => {
    const said = await probeCell(probers, question, formatToken(token + index));
    if (said !== undefined) open.push({ question, said });
  });
  return open;
}

/** What is wrong with the answer; undefined: nothing. */
async function probeCell(probers: Probers, question: ScaleProbe, token: string): Promise<string | undefined> {
  const { source, protocol, address, port, servers } = question;
  const prober = probers.get(source.name);
  if (prober === undefined) throw new Error(`no prober in ${source.name}`);
  const answer = await prober.probe({ protocol, address, port, token, timeoutMs: TIMEOUT_MS });
  if (!answer.ok) return answer.error ?? "no answer";
  if (protocol === "icmp" || servers.has(answer.server ?? "")) return undefined;
  return `answered by ${answer.server ?? "nobody"}`;
}

async function inParallel<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const queue = [...items];
  const worker = async () => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) await work(item);
  };
  await Promise.all(Array.from({ length: PARALLEL }, worker));
}
