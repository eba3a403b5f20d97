"""The stylesheet of the status page: light and dark, narrow and wide, screen and paper; colours pass WCAG 2.2 AA."""

from typing import Final

STYLE: Final = """
:root { --tone: currentColor; color-scheme: light dark; font: 0.95rem/1.45 system-ui, sans-serif;
  --soft: light-dark(#595f69, #a7adb8); --line: light-dark(#d5d9e0, #3a3f48); --card: light-dark(#f5f6f8, #1d2026);
  --act: light-dark(#a3151f, #ff9a9a); --look: light-dark(#7a4b00, #f3bd63); --know: light-dark(#1f5aa8, #8fbcff);
  --good: light-dark(#176b2c, #7fd894); background: light-dark(#fff, #121418); color: light-dark(#16181d, #e6e8ec); }
body { margin: 0 auto; max-width: 84rem; padding: 1.2rem 1rem 3rem; }
h1 { font-size: 1.5rem; margin: 0; border-left: .5rem solid var(--tone); padding-left: .7rem; }
h1 strong, dd { color: var(--tone); } h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; }
.act { --tone: var(--act); } .look { --tone: var(--look); }
.know { --tone: var(--know); } .good { --tone: var(--good); }
p { margin: .4rem 0; } .soft, small, dt, nav { color: var(--soft); } small { display: block; font-size: .85em; }
nav a { color: inherit; }
code { font: .92em ui-monospace, monospace; overflow-wrap: anywhere; }
dl { display: grid; grid-template-columns: repeat(auto-fit, minmax(11rem, 1fr)); gap: .6rem; margin: 1.2rem 0 0; }
dl > div { background: var(--card); border: 1px solid var(--line); border-radius: .4rem; padding: .5rem .7rem; }
dt { font-size: .85rem; } dd { margin: 0; font-weight: 600; font-size: 1.1rem; } dd small { font-weight: 400; }
ol { list-style: none; margin: 0; padding: 0; }
ol { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(26rem, 100%), 1fr)); gap: .6rem; }
ol > li { border: 1px solid var(--line); border-left: .4rem solid var(--tone); border-radius: .4rem; }
ol > li { padding: .5rem .8rem; }
ol > li > p:first-child { font-weight: 600; }
ol > li strong { color: var(--tone); } ol > li.act { grid-column: 1 / -1; }
.scroll { overflow-x: auto; } .scroll:focus-visible { outline: 2px solid var(--know); }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: .35rem .9rem .35rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
thead th { color: var(--soft); font-weight: 600; font-size: .85rem; }
td.w { overflow-wrap: anywhere; } td.n, th.n { text-align: right; } td.n, th { white-space: nowrap; }
@media (max-width: 46rem) {
  thead { position: absolute; clip-path: inset(50%); height: 1px; overflow: hidden; width: 1px; }
  table, tbody { display: block; }
  tbody tr { display: grid; grid-template-columns: repeat(3, minmax(0, 1fr)); gap: .3rem .6rem;
    background: var(--card); border: 1px solid var(--line); border-radius: .4rem;
    padding: .4rem .7rem; margin: .6rem 0; }
  tbody th, td, td.n { display: block; border: 0; padding: 0; text-align: left; white-space: normal; }
  td { overflow-wrap: anywhere; }
  tbody th, td.w { grid-column: 1 / -1; }
  tbody th::before, td::before { content: attr(data-label); display: block; }
  tbody th::before { content: attr(data-label) " "; display: inline; }
  tbody th::before, td::before { color: var(--soft); font: .8rem system-ui, sans-serif; }
  dl { grid-template-columns: repeat(2, minmax(0, 1fr)); }
}
@media print {
  :root { color-scheme: light; font-size: 9pt; } nav { display: none; } body { padding: 0; }
  tr, ol > li, dl > div { break-inside: avoid; }
}
"""
