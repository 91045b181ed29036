import { escapeHtml } from "./escape.ts";
import { STYLE } from "./style.ts";

/** Icon of the pages: two networks that cross. */
const ICON = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32" fill="none" stroke-width="6" stroke-linecap="round"><path stroke="#0969da" d="M5 11h22"/><path stroke="#9a3fb0" d="M21 5v22"/><path stroke="#0969da" d="M5 21h6M17 21h10"/><path stroke="#9a3fb0" d="M11 5v1M11 17v10"/></svg>`;
/** Address of the icon that needs no further request. */
export const ICON_URL = `data:image/svg+xml,${encodeURIComponent(ICON)}`;

/**
 * Renders the beginning of a page, until its body.
 * @param title text of the page's title
 * @param style rules that follow those of all pages
 */
export function renderPageHead(title: string, style = ""): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="${ICON_URL}">
<title>${escapeHtml(title)}</title>
<style>${STYLE}${style}</style>
</head>
`;
}
