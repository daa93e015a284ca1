/** The report's style sheet. Colours: Okabe and Ito's palette, which colour-blind readers can tell apart. */
export const style = `
:root {
  color-scheme: light dark;
  --text: #1b1f24; --muted: #5c6670; --page: #ffffff; --card: #f6f7f9; --line: #d5dae0; --accent: #0072b2;
  --series-0: #0072b2; --series-1: #d55e00; --series-2: #009e73; --series-3: #cc79a7;
  --series-4: #b58900; --series-5: #56b4e9; --series-6: #6a3d9a; --series-7: #555555;
}
@media (prefers-color-scheme: dark) {
  :root {
    --text: #e6e9ed; --muted: #9aa5b1; --page: #14171b; --card: #1d2127; --line: #3a424c; --accent: #56b4e9;
    --series-0: #56b4e9; --series-1: #ff8c42; --series-2: #2fcf9f; --series-3: #e79cc5;
    --series-4: #e6c229; --series-5: #3d8fd1; --series-6: #b79ae0; --series-7: #b0b0b0;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--text); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 1180px; margin: 0 auto; padding: 24px 20px 64px; }
h1 { font-size: 1.7rem; line-height: 1.2; margin: 0 0 4px; }
h2 { font-size: 1.3rem; margin: 48px 0 4px; }
h3 { font-size: 1rem; margin: 24px 0 8px; }
p { margin: 8px 0; max-width: 75ch; }
.muted, .note { color: var(--muted); }
.note { display: block; min-width: 15ch; font-size: .8rem; line-height: 1.3; white-space: normal; }
.verdict { border-left: 4px solid var(--accent); padding: 2px 0 2px 14px; font-size: 1.05rem; }
.partial { background: #b4530022; border-left: 4px solid #d97706; padding: 8px 14px; }
.scroll { overflow-x: auto; margin: 16px 0; border: 1px solid var(--line); border-radius: 8px; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { padding: 8px 12px; text-align: right; vertical-align: top; border-bottom: 1px solid var(--line); }
th:first-child, td:first-child { position: sticky; left: 0; background: var(--page); text-align: left; }
.names :is(th, td):nth-child(2) { text-align: left; }
.names .note { min-width: 0; white-space: nowrap; }
thead th, thead th:first-child { background: var(--card); font-size: .85rem; white-space: nowrap; }
thead button { all: unset; cursor: pointer; font-weight: 600; }
thead button:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
th[aria-sort=ascending] button::after { content: ' \\2191'; }
th[aria-sort=descending] button::after { content: ' \\2193'; }
td { white-space: nowrap; }
tbody tr:last-child td { border-bottom: 0; }
.swatch { display: inline-block; width: 14px; height: 4px; border-radius: 2px; margin-right: 8px; vertical-align: middle; }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 420px), 1fr)); gap: 20px; margin: 16px 0; }
figure { margin: 0; padding: 12px; background: var(--card); border: 1px solid var(--line); border-radius: 8px; }
figcaption { font-size: .9rem; font-weight: 600; margin-bottom: 6px; }
figure svg { display: block; width: 100%; height: auto; }
.pictures { display: grid; grid-template-columns: repeat(auto-fill, minmax(150px, 1fr)); gap: 12px; margin: 12px 0; }
.pictures img { display: block; width: 100%; image-rendering: pixelated; }
.pictures figcaption { font-size: .8rem; font-weight: 400; }
details { margin: 12px 0; }
summary { cursor: pointer; }
.facts { display: grid; grid-template-columns: max-content 1fr; gap: 2px 16px; margin: 8px 0; }
.facts dt { color: var(--muted); }
.facts dd { margin: 0; overflow-wrap: anywhere; }
pre { background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: 12px; overflow-x: auto; font-size: .9rem; }
@media (max-width: 560px) {
  main { padding: 16px 12px 48px; }
  th, td { padding: 6px 8px; }
  figure { padding: 8px; }
  body { font-size: 15px; }
}
`
