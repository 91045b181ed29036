/** Annotation of a pod template: `"5"` for a set of five addresses, `"+2"` for two more than replicas. */
export const SET_ANNOTATION = "interlay.dev/addresses";

/** Upper bound of a set: each address is an object. */
const MAX_SIZE = 5000;

/** Parses the size of a set. @throws if the text is neither a number nor a number after `+`, or the set is too large */
export function parseSetSize(text: string, replicas: number): number {
  const match = /^(\+?)(\d{1,6})$/.exec(text.trim());
  if (match === null)
    throw new Error(
      `invalid annotation ${SET_ANNOTATION} "${text}": write a number, or "+" and a number for more than replicas`,
    );
  const size = Number(match[2]) + (match[1] === "+" ? replicas : 0);
  if (size > MAX_SIZE) throw new Error(`a set of ${size} addresses is too large: the maximum is ${MAX_SIZE}`);
  return size;
}
