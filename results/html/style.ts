/** Styles of the report: light and dark by the reader's preference; colour is never the only mark. */
export const STYLE = `
:root { color-scheme: light dark; --line: light-dark(#ccc, #444); --pass: light-dark(#116329, #57d178); --fail: light-dark(#a40e26, #ff7b7b); --blocked: light-dark(#7a4b00, #e3b341); --box: light-dark(#f4f6f8, #23272e); --page: light-dark(#fff, #15181c); --text: light-dark(#1c2128, #e6e8eb); --request: light-dark(#0550ae, #79b8ff); --reply: light-dark(#9a3fb0, #e29bf5); }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 78rem; margin: 2rem auto; padding: 0 1rem; background: var(--page); color: var(--text); }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; margin: .5rem 0; }
caption { text-align: left; font-size: .85rem; }
th, td { border: 1px solid var(--line); padding: .3rem .6rem; text-align: left; vertical-align: top; }
dl { display: flex; flex-wrap: wrap; gap: .2rem 1.5rem; } dl div { display: flex; gap: .4rem; } dt { font-weight: 600; } dd { margin: 0; }
.pass { color: var(--pass); } .fail { color: var(--fail); font-weight: 700; } .blocked { color: var(--blocked); font-weight: 600; }
details { overflow-x: auto; } summary { cursor: pointer; padding: .3rem 0; }
code { overflow-wrap: anywhere; }
button { font: inherit; color: inherit; background: var(--box); border: 1px solid var(--line); border-radius: 6px; padding: .2rem .6rem; cursor: pointer; }
button:disabled { cursor: default; border-color: transparent; background: none; padding-left: 0; }
button.pass { color: var(--pass); } button.fail { color: var(--fail); } button.blocked { color: var(--blocked); }
.grid td button { width: 100%; text-align: left; }
button:hover:enabled { border-color: currentColor; } :focus-visible { outline: 3px solid var(--request); outline-offset: 2px; }
button[aria-pressed="true"] { outline: 2px solid currentColor; font-weight: 700; }
.groups, .cells { list-style: none; padding: 0; display: flex; flex-wrap: wrap; gap: .4rem; font-size: .9rem; }
.cells { max-height: 11rem; overflow-y: auto; padding: .3rem; }
dialog { width: min(76rem, 94vw); max-height: 92vh; border: 1px solid var(--line); border-radius: 10px; background: var(--page); color: var(--text); padding: 1rem 1.4rem; }
dialog::backdrop { background: #0008; } #dialog-close { float: right; }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(24rem, 1fr)); gap: 1rem; }
figure { margin: 0; } figcaption { font-weight: 600; } svg { width: 100%; height: auto; font: 13px system-ui, sans-serif; }
svg text { fill: var(--text); } svg .small { font-size: 11px; } svg .name { font-weight: 700; } svg .link { text-anchor: middle; }
svg .node { fill: var(--box); stroke: var(--line); } svg .pod { fill: var(--page); stroke: var(--line); } svg .bar { fill: var(--box); stroke: var(--line); }
svg polyline { stroke-width: 2; } svg .request { stroke: var(--request); } svg .reply { stroke: var(--reply); } svg polyline.reply { stroke-dasharray: 6 4; }
svg .step circle { fill: var(--page); stroke-width: 2; } svg .step text { stroke: none; text-anchor: middle; font-size: 11px; font-weight: 700; }
.choose { display: flex; flex-wrap: wrap; gap: .5rem 1.5rem; } select { font: inherit; max-width: 100%; } .legend, .reason { font-size: .9rem; }
mark { background: light-dark(#fff3b0, #5a4a00); color: inherit; padding: 0 .2rem; }
@media print { dialog, button { border: 0; } }
`;
