import type { Translation } from "../../packet.ts";

/** Formats a translation: `dnat to 10.0.0.1:80`, `masquerade`. */
export function describeTranslation(translation: Translation): string {
  const [firstPort, lastPort] = translation.ports ?? [];
  const ports = firstPort === undefined ? "" : `:${joinRange(firstPort, lastPort)}`;
  if (translation.kind === "masquerade" || translation.kind === "redirect")
    return ports === "" ? translation.kind : `${translation.kind} to ${ports}`;
  const [first, last] = translation.addresses ?? [];
  const addresses = first === undefined ? "" : joinRange(first, last);
  return `${translation.kind} to ${addresses.includes(":") && ports !== "" ? `[${addresses}]` : addresses}${ports}`;
}

function joinRange(first: string | number, last: string | number | undefined): string {
  return last === undefined || last === first ? String(first) : `${first}-${last}`;
}

/** Formats a mark in hexadecimal, as in rules. */
export function formatMark(mark: number): string {
  return `0x${mark.toString(16)}`;
}
