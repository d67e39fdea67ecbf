"""The frame of the page and its style; letters are the reader's own, nothing is fetched."""

from datetime import UTC, datetime

from vultus.report.markup import Markup, element

STYLE = """
:root { color-scheme: light dark; --paper: #fcfbf8; --ink: #1f1e1b; --soft: #6a655b; --rule: #dfdbd1; --tint: #f3f0e9;
  --wash: rgb(110 90 40 / .07); --edge: rgb(40 36 28 / .22);
  --link: #2a5f95; --serif: "Iowan Old Style", "Palatino Linotype", Palatino, "Book Antiqua", Georgia, serif;
  --sans: ui-sans-serif, system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
@media (prefers-color-scheme: dark) { :root { --paper: #171613; --ink: #e4e0d7; --soft: #a19b8f; --rule: #3a3832;
  --tint: #211f1b;
  --wash: rgb(255 240 210 / .05); --edge: rgb(0 0 0 / .6); --link: #8db8e0; } }
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; scroll-behavior: smooth; }
@media (prefers-reduced-motion: reduce) { html { scroll-behavior: auto; } }
body { margin: 0 auto; padding: 3.5rem clamp(1rem, 4vw, 3rem) 5rem; max-width: 74rem; background: var(--paper);
  color: var(--ink); font: 1.0625rem/1.55 var(--serif); overflow-wrap: break-word; }
h1 { margin: 0 0 .4rem; font-size: clamp(1.9rem, 5vw, 2.7rem); line-height: 1.12; font-weight: 600;
  letter-spacing: -.012em; text-wrap: balance; }
h2 { margin: 0 0 1.1rem; font-size: 1.6rem; line-height: 1.2; font-weight: 600; letter-spacing: -.006em; }
h3 { margin: 2.4rem 0 .7rem; font-size: 1.16rem; line-height: 1.3; font-weight: 600; }
h2 + h3 { margin-top: 0; }
h4 { margin: 0 0 .35rem; font: 600 .84rem/1.3 var(--sans); }
h4 small { margin-left: .6em; font-weight: 400; color: var(--soft); font-size: inherit; }
p, .verdicts, .protocol { max-width: 41rem; margin: 0 0 1rem; }
.standfirst { color: var(--soft); font-size: 1.12rem; }
a { color: var(--link); text-underline-offset: .18em; text-decoration-thickness: .06em; }
nav { display: flex; flex-wrap: wrap; gap: .2rem 1.3rem; margin: 1.6rem 0 0; padding: .8rem 0;
  border: solid var(--rule); border-width: 1px 0; font: .88rem/1.5 var(--sans); }
nav a { text-decoration: none; } nav a:hover { text-decoration: underline; }
section { margin-top: 3.6rem; scroll-margin-top: 1rem; }
footer { margin-top: 4.5rem; padding-top: .9rem; border-top: 1px solid var(--rule); color: var(--soft);
  font: .85rem/1.5 var(--sans); }
ul.verdicts, ul.protocol { padding-left: 1.15rem; } li { margin-bottom: .45rem; } li::marker { color: var(--soft); }
.protocol { font-size: .97rem; color: var(--soft); }
.note { color: var(--soft); font-style: italic; }
.scroll { overflow-x: auto; margin: 1.4rem 0; -webkit-overflow-scrolling: touch; /* a shadow where it goes on */
  background: linear-gradient(90deg, var(--paper) 40%, transparent) 0 0 / 3rem 100% no-repeat local,
  linear-gradient(-90deg, var(--paper) 40%, transparent) 100% 0 / 3rem 100% no-repeat local,
  linear-gradient(90deg, var(--edge), transparent) 0 0 / .9rem 100% no-repeat scroll,
  linear-gradient(-90deg, var(--edge), transparent) 100% 0 / .9rem 100% no-repeat scroll; }
.scroll:focus-visible, summary:focus-visible, a:focus-visible { outline: 2px solid var(--link); outline-offset: 3px; }
table { border-collapse: collapse; font: .875rem/1.35 var(--sans); font-variant-numeric: tabular-nums lining-nums; }
.caption { margin: 1.6rem 0 -.6rem; color: var(--soft); font: .875rem/1.4 var(--sans); }
th, td { padding: .42rem 1.1rem .42rem 0; text-align: left; vertical-align: top; font-weight: 400; }
th:last-child, td:last-child { padding-right: .2rem; }
thead th { vertical-align: bottom; border-bottom: 1.5px solid var(--ink); font-weight: 600; white-space: nowrap; }
thead td { border-bottom: 1.5px solid var(--ink); }
thead th span { display: block; font-weight: 400; color: var(--soft); font-size: .8rem; }
tbody th, tbody td { border-bottom: 1px solid var(--rule); }
.results { min-width: 100%; } .results .num { text-align: right; white-space: nowrap; }
.results thead .num { min-width: 5.2rem; white-space: normal; text-wrap: balance; }
.results th[scope=row] { min-width: 9rem; } .results small { display: block; color: var(--soft); font-size: .77rem; }
.results .none { color: var(--soft); } .results b { font-weight: 700; }
.results .baseline > *, .results .chance > * { background: var(--wash); }
.results th:first-child { padding-left: .5rem; } .results .chance { font-style: italic; }
.results .feature, .results .aside, .results .level { color: var(--soft); }
.results th:first-child { position: sticky; left: 0; background: var(--paper); }
.results .baseline th, .results .chance th { background: var(--tint); }
sub { font-size: .72em; line-height: 0; }
.settings th { color: var(--soft); white-space: nowrap; } .settings thead th { color: var(--ink); }
.settings th:first-child { position: sticky; left: 0; background: var(--paper); }
.settings td { min-width: 9rem; } .settings.small { font-size: .8rem; } .settings .differs > * { font-weight: 600;
  color: var(--ink); }
dl { display: grid; grid-template-columns: minmax(8rem, 11rem) minmax(0, 1fr); gap: .3rem 1.2rem; max-width: 54rem;
  margin: 0 0 1rem; font: .875rem/1.5 var(--sans); font-variant-numeric: tabular-nums; }
dt { color: var(--soft); } dd { margin: 0; overflow-wrap: anywhere; }
details { margin: .7rem 0; font: .875rem/1.5 var(--sans); } summary { cursor: pointer; color: var(--link); }
pre { overflow-x: auto; padding: .8rem 1rem; background: var(--tint); font: .78rem/1.5 ui-monospace, SFMono-Regular,
  Menlo, Consolas, monospace; }
figure { margin: 1.4rem 0 2.2rem; }
figcaption { max-width: 46rem; margin-top: .8rem; color: var(--soft); font-size: .95rem; line-height: 1.5; }
img, svg { display: block; max-width: 100%; height: auto; } svg { width: 100%; overflow: visible; }
svg text { font-family: var(--sans); font-variant-numeric: tabular-nums; }
.charts { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(19rem, 100%), 1fr)); gap: 1.9rem 2.4rem;
  align-items: start; }
.charts.wide { grid-template-columns: repeat(auto-fill, minmax(min(28rem, 100%), 1fr)); }
.ranks svg { min-width: 33rem; max-width: 46rem; } .charts.wide img { width: 100%; } .chart { min-width: 0; }
.columns { display: grid; grid-template-columns: repeat(var(--columns), minmax(4.6rem, 8.2rem)); gap: 0 .55rem; }
.columns img { width: 100%; } .columns h4 { white-space: nowrap; overflow: hidden; text-overflow: ellipsis; }
.legend { display: flex; flex-wrap: wrap; gap: .15rem 1.1rem; margin: .5rem 0 1rem; padding: 0; list-style: none;
  font: .8rem/1.5 var(--sans); } .legend li { margin: 0; }
.legend i { display: inline-block; width: .7em; height: .7em; margin-right: .45em; border-radius: 50%; }
.scale { display: flex; align-items: center; gap: .6rem; margin-top: .5rem; font: .8rem/1.5 var(--sans);
  font-variant-numeric: tabular-nums; } .scale i { flex: 1; max-width: 12rem; height: .55em; border-radius: .3em; }
@media (max-width: 34rem) { body { padding-top: 2rem; font-size: 1rem; } section { margin-top: 2.8rem; }
  dl { grid-template-columns: 1fr; gap: 0; } dd { margin-bottom: .55rem; } th, td { padding-right: .9rem; }
  .results th[scope=row] { min-width: 7.2rem; max-width: 8.5rem; } }
@media print { body { max-width: none; padding: 0; font-size: 10pt; } nav { display: none; } figure, tr {
  break-inside: avoid; } .scroll { overflow: visible; } }
"""


FOOT = "One file, nothing fetched: keep it, mail it, print it."
FACES = "One file, nothing fetched. The page holds faces: keep it where their pictures may be kept."


def today() -> str:
    """The day, as pages name it; it does not break over lines."""
    return datetime.now(UTC).strftime("%-d %B %Y").replace(" ", "\u00a0")


def page(title: str, standfirst: str, contents: Markup, body: Markup, foot: str = FOOT) -> str:
    """The whole document."""
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("title", title),
        element("style", Markup(STYLE)),
    )
    header = element("header", element("h1", title), element("p", standfirst, class_="standfirst"), contents)
    footer = element("footer", foot)
    whole = element("body", header, element("main", body), footer)
    return "<!doctype html>\n" + element("html", head, whole, lang="en")
