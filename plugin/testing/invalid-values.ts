import fc from "fast-check";

type Json = Record<string, unknown>;

/** Place of a fault: one value of a document that is otherwise valid, by its path. */
export interface InputFault {
  readonly path: readonly string[];
  readonly value: unknown;
}

const values = fc.oneof(
  fc.constantFrom<unknown>(null, true, -1, 1e308, "", " ", "\0", "../../etc/passwd", "$(reboot)", "a".repeat(70_000)),
  fc.constantFrom<unknown>("10.7.200.1", "10.7.200.1/33", "::/129", "fe80::1/64", "0.0.0.0/0", [], {}, [null], [[]]),
  fc.jsonValue(),
);

/** Generates an invalid value at one of the paths, whose parts are separated by dots. */
export function generateFault(
  paths: readonly string[],
  value: fc.Arbitrary<unknown> = values,
): fc.Arbitrary<InputFault> {
  return fc.record({ path: fc.constantFrom(...paths.map((path) => path.split("."))), value });
}

/** Returns the document with the fault. */
export function applyFault(document: unknown, { path, value }: InputFault): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return value;
  const applyInner = (old: unknown): unknown => applyFault(old, { path: rest, value });
  if (Array.isArray(document))
    return document.map((element: unknown, i) => (String(i) === key ? applyInner(element) : element));
  // An earlier fault may have replaced the object.
  const object = typeof document === "object" && document !== null ? (document as Json) : {};
  return { ...object, [key]: applyInner(object[key]) };
}
