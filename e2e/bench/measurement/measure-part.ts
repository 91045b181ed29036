import { getErrorMessage } from "../../../plugin/errors/error-message.ts";
import type { Measurement } from "./measurement.ts";

/**
 * Measures a part of a benchmark, so that the other parts are measured and written also if this one fails.
 *
 * @returns the measurements; if the part throws, one row over its limit with the reason
 */
export async function measurePart(
  part: string,
  measure: () => Promise<readonly Measurement[]>,
): Promise<readonly Measurement[]> {
  try {
    return await measure();
  } catch (error) {
    const [reason = ""] = getErrorMessage(error).split("\n");
    return [{ name: `${part}: not measured`, value: 1, unit: "failures", limit: 0, basis: reason }];
  }
}
