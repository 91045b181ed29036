import type { Provider } from "../provider.ts";
import { readFacts } from "./facts.ts";
import { judge, type Row } from "./judge.ts";
import { type ExistingOptions, existingOptions, kubeConfigOf } from "./options.ts";

/** What the cluster is and what stands against a run, a row for each thing. Changes nothing. */
export async function preflightRows(options: ExistingOptions): Promise<readonly Row[]> {
  return judge(await readFacts(kubeConfigOf(options)), options);
}

/** A cluster that is there, and that stays as it was. */
export const existingProvider: Provider = {
  name: "existing",

  preflight: async () => (await preflightRows(existingOptions())).flatMap(({ problem }) => problem ?? []),

  up: () => Promise.reject(new Error("--provider existing does not run the suite yet: it only looks (preflight).")),

  down: () => Promise.resolve(),
};
