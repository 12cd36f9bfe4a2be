// The report's style sheet: for screens wide and narrow, light and dark, and for paper.
#pragma once
#include <skewgrad/core/config.hpp>

namespace SKEWGRAD_NAMESPACE::report {

/// The fonts are the reader's own; nothing is fetched.
inline constexpr const char* page_style = R"css(
:root { --ink: #1c1c1c; --soft: #5a5a5a; --page: #ffffff; --line: #d6d6d6; --tint: #f4f6f8; --link: #0b5394;
        --bad: #8c1c00; --bad-tint: #fff0ea; --good: #00573f; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e8e8e8; --soft: #b0b0b0; --page: #16181b; --line: #43474d; --tint: #202429; --link: #8cc4ff;
          --bad: #ffb199; --bad-tint: #3a1a10; --good: #7fd8b8; }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body { margin: 0 auto; padding: 1rem 1.25rem 4rem; max-width: 62rem; color: var(--ink); background: var(--page);
       font: 16px/1.5 system-ui, "Liberation Sans", Arial, Helvetica, sans-serif; overflow-wrap: break-word; }
h1 { font-size: 1.7rem; line-height: 1.25; margin: .5rem 0 1rem; }
h2 { font-size: 1.3rem; margin: 2.5rem 0 .5rem; padding-top: .6rem; border-top: 1px solid var(--line); }
h3 { font-size: 1.05rem; margin: 1.6rem 0 .4rem; }
a { color: var(--link); }
nav ol { margin: .3rem 0 0; padding-left: 1.4rem; columns: 3 13rem; }
.headline { font-size: 1.08rem; background: var(--tint); border-left: .3rem solid #0072B2; padding: .6rem 1rem; margin: 1rem 0; }
.headline p { margin: .4rem 0; }
.alarm { border: .25rem solid #D55E00; background: var(--bad-tint); color: var(--bad); padding: .6rem 1rem; margin: 1rem 0; font-size: 1.1rem; }
.alarm strong { font-size: 1.25rem; letter-spacing: .03em; }
.calm { border-left: .3rem solid #009E73; background: var(--tint); padding: .5rem 1rem; margin: 1rem 0; }
figure { margin: 1.4rem 0 2rem; }
figure svg { display: block; width: 100%; height: auto; min-width: 36rem; background: #ffffff; }
figcaption { margin-top: .5rem; font-size: .92rem; color: var(--soft); }
figcaption b { color: var(--ink); }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; min-width: 22rem; margin: .8rem 0 .3rem; font-size: .88rem; font-variant-numeric: tabular-nums; }
caption { text-align: left; padding: .2rem 0 .4rem; font-weight: 600; }
th, td { padding: .22rem .5rem; text-align: right; vertical-align: top; border-bottom: 1px solid var(--line); }
thead th { border-bottom: 2px solid var(--soft); vertical-align: bottom; }
thead .groups th { border-bottom: 1px solid var(--line); text-align: center; }
tbody th, th.words, td.words { text-align: left; }
tbody th { font-weight: 600; white-space: nowrap; }
tbody th.long, .says { white-space: normal; }
tbody tr:last-child th, tbody tr:last-child td { border-bottom: 2px solid var(--soft); }
.interval { display: block; font-size: .82em; color: var(--soft); white-space: nowrap; }
.says { display: block; font-weight: 400; font-size: .92em; color: var(--soft); min-width: 12rem; }
.note { font-size: .9rem; color: var(--soft); margin: .2rem 0 1rem; }
.failed { background: var(--bad-tint); color: var(--bad); font-weight: 700; }
pre { background: var(--tint); padding: .6rem .8rem; overflow-x: auto; white-space: pre-wrap; font-size: .85rem; }
dl.run { display: grid; grid-template-columns: max-content 1fr; gap: .25rem 1rem; font-size: .92rem; }
dl.run dt { font-weight: 600; }
dl.run dd { margin: 0; min-width: 0; }
@media (max-width: 40rem) {
  body { padding: .6rem .7rem 3rem; font-size: 15px; }
  h1 { font-size: 1.35rem; }
  dl.run { grid-template-columns: 1fr; }
  dl.run dd { margin: 0 0 .4rem; }
}
@page { size: A4; margin: 14mm 13mm; }
@media print {
  :root { --ink: #000; --soft: #333; --page: #fff; --line: #bbb; --tint: #f2f2f2; --link: #000; --bad: #000; --bad-tint: #fff; }
  html { font-size: 9.5pt; }
  body { max-width: none; padding: 0; font-size: 1rem; }
  nav { display: none; }
  h2, h3, caption { break-after: avoid; }
  figure, .headline, .alarm, .short { break-inside: avoid; }
  figure svg { min-width: 0; max-height: 215mm; }
  .scroll { overflow: visible; }
  table { font-size: 7pt; width: 100%; }
  thead { display: table-header-group; }
  tr { break-inside: avoid; }
  th, td { padding: .12rem .25rem; }
  .says { min-width: 0; }
  tbody th { white-space: normal; }
  a { text-decoration: none; }
}
)css";

}  // namespace SKEWGRAD_NAMESPACE::report
