"""The one style sheet of the HTML report: light and dark, narrow and wide, screen and paper. Nothing in it moves."""

_COLOURS = """
:root{color-scheme:light dark;--page:#fff;--panel:#f5f7f9;--ink:#14181f;--soft:#566072;--line:#dfe4ea;--strong:#b9c2ce;
--link:#2558a5;--plain:#4674b5;--leaked:#b1141d;--leaked-bg:#fdf0ef;--exposed:#855000;--exposed-bg:#fff5e3;
--unknown:#6a34a0;--unknown-bg:#f7f1fd;--clean:#14683a;--clean-bg:#edf8f1;--blocked:#0a6072;--blocked-bg:#e9f6f8}
@media screen and (prefers-color-scheme:dark){:root{--page:#101318;--panel:#181c23;--ink:#e9ecf1;--soft:#a3adbc;
--line:#2a313b;--strong:#465160;--link:#8db8f2;--plain:#7ea6dc;--leaked:#ff8f8b;--leaked-bg:#2e1719;
--exposed:#f2bb66;--exposed-bg:#2b2212;--unknown:#d0a9f5;--unknown-bg:#241a30;--clean:#79d498;--clean-bg:#13271b;
--blocked:#6fd3e2;--blocked-bg:#10272c}}
.leaked,.critical,.high,.failed{--tone:var(--leaked);--tint:var(--leaked-bg)}
.exposed,.medium,.unavailable{--tone:var(--exposed);--tint:var(--exposed-bg)}
.unknown{--tone:var(--unknown);--tint:var(--unknown-bg)}
.clean,.running{--tone:var(--clean);--tint:var(--clean-bg)}
.blocked{--tone:var(--blocked);--tint:var(--blocked-bg)}
"""

_TEXT = """
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--ink);overflow-wrap:anywhere;
font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif}
.frame{max-width:960px;margin:0 auto;padding-inline:24px}
h1,h2,h3,p,ol,ul,dl,dd,figure,table{margin:0;padding:0}
h2{font-size:1.3rem;line-height:1.3;margin:2.6rem 0 .8rem}
h3{font-size:1rem;margin:1.6rem 0 .5rem}
p+p{margin-top:.5em}
a{color:var(--link);text-underline-offset:.15em}
:focus-visible{outline:3px solid var(--link);outline-offset:3px;border-radius:3px}
code,.mono{font:.875em/1.5 ui-monospace,SFMono-Regular,"SF Mono",Menlo,Consolas,"DejaVu Sans Mono",monospace}
code{background:var(--panel);border-radius:4px;padding:.1em .35em}
.soft{color:var(--soft)}.small{font-size:.875rem}.when{font-variant-numeric:tabular-nums;white-space:nowrap}
.skip{position:absolute;left:-999px}.skip:focus{left:12px;top:12px;background:var(--page);padding:.4em .8em}
.tag{display:inline-block;font-size:.8rem;line-height:1.5;font-weight:650;color:var(--tone,var(--soft));
background:var(--tint,var(--panel));border-radius:5px;padding:.05em .55em;white-space:nowrap}
"""

_TOP = """
.top{display:flex;flex-wrap:wrap;justify-content:space-between;gap:.2em 2em;padding-top:28px;padding-bottom:14px;
color:var(--soft);font-size:.9rem}
.brand{display:flex;align-items:center;gap:.5em;color:var(--ink);font-weight:650}.brand svg{width:18px;height:20px}
.brand span{font-weight:400;color:var(--soft)}
.outcome{background:var(--tint);border-radius:14px;padding:28px 32px 30px}
.outcome .word{display:block;color:var(--tone);font-size:1rem;font-weight:750;letter-spacing:.06em;margin-bottom:.5rem}
.outcome h1{font-size:1.85rem;line-height:1.22;font-weight:700;letter-spacing:-.012em;max-width:27em;text-wrap:balance}
.outcome .meaning{margin-top:.8rem;max-width:44em}
.facts{display:flex;flex-wrap:wrap;gap:.7em 2.4em;margin-top:20px;font-size:.925rem}.facts div{max-width:100%}
.facts dt{color:var(--soft);font-size:.85rem}
.numbers{display:grid;grid-template-columns:repeat(6,1fr);gap:8px 20px;margin-top:22px;padding-bottom:20px;
border-bottom:1px solid var(--line)}
.numbers div{display:flex;flex-direction:column-reverse;justify-content:flex-end}
.numbers dt{color:var(--soft);font-size:.85rem;line-height:1.35}
.numbers dd{font-size:1.6rem;line-height:1.3;font-weight:650;font-variant-numeric:tabular-nums}
.numbers .none dd{font-weight:400;color:var(--soft)}
.contents{margin-top:14px;font-size:.9rem}.contents ul{display:flex;flex-wrap:wrap;gap:.25em 1.3em;list-style:none}
.contents a{text-decoration:none}.contents a:hover{text-decoration:underline}
.steps{list-style:none;counter-reset:step}
.steps li{counter-increment:step;position:relative;padding:.7em 0 .7em 3rem;border-top:1px solid var(--line)}
.steps li:first-child{border-top:0}
.steps li::before{content:counter(step);position:absolute;left:0;top:.72em;width:1.85rem;height:1.85rem;
border:1px solid var(--strong);border-radius:50%;text-align:center;line-height:1.75rem;font-size:.9rem;font-weight:650}
.steps .do{font-weight:650;display:block}.steps a{white-space:nowrap}
"""

_FLOWS = """
.flow{border:1px solid var(--line);border-radius:12px;padding:18px 22px;margin-bottom:14px}
.flow figcaption{display:flex;flex-wrap:wrap;gap:.3em .8em;align-items:baseline;margin-bottom:14px}
.ends{display:grid;grid-template-columns:minmax(0,1fr) 168px minmax(0,1fr);gap:0 16px;align-items:stretch}
.end{background:var(--panel);border-radius:10px;padding:12px 16px;min-width:0}
.end.to{background:var(--tint,var(--panel))}
.end .act{color:var(--soft);font-size:.85rem}
.end .what{display:flex;gap:.55em;align-items:flex-start;font-weight:650;font-size:1.05rem;margin:.15em 0}
.end .what svg{flex:none;width:18px;height:18px;margin-top:.25em;color:var(--soft)}
.end.to .what svg{color:var(--tone,var(--soft))}
.between{align-self:center;text-align:center;font-size:.85rem;color:var(--soft);line-height:1.35}
.between b{display:block;color:var(--ink);font-size:1.05rem}
.arrow{display:block;color:var(--tone,var(--strong));margin:3px auto}.arrow.down{display:none}
.arrow.over{width:168px;height:16px}
.chain{display:flex;flex-wrap:wrap;list-style:none;font-size:.85rem;color:var(--soft);margin-top:.35em}
.chain li:not(:last-child)::after{content:"\\203a";margin:0 .45em}.chain li:last-child{color:var(--ink)}
.flow .reason{margin-top:14px;font-size:.925rem}
"""

_PICTURES = """
.picture{border:1px solid var(--line);border-radius:12px;padding:16px 20px}
.timeline{display:block;width:100%;height:auto}.timeline.narrow{display:none}
.timeline text{font:13px system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;fill:var(--soft)}
.timeline .lane-name{fill:var(--ink)}.timeline .callout{fill:var(--tone,var(--ink));font-weight:650}
.timeline .lane{stroke:var(--line);stroke-width:1.5}.timeline .tick{stroke:var(--line);stroke-dasharray:2 5}
.mark{fill:var(--tone,var(--plain));stroke:var(--page);stroke-width:1}
.mark.quiet{fill:var(--page);stroke:var(--soft);stroke-width:1.5}
.arc{fill:none;stroke:var(--tone,var(--plain));stroke-width:1.6;opacity:.8}
.legend{display:flex;flex-wrap:wrap;gap:.1em 1.6em;list-style:none;color:var(--soft);font-size:.85rem;margin-top:.7em}
.tree,.tree ul{list-style:none}.tree ul{margin-left:.55em;border-left:1px solid var(--strong)}
.tree li{position:relative;padding:.28em 0 .28em 1.35em}.tree>li{padding-left:0}
.tree ul>li::before{content:"";position:absolute;left:0;top:1.15em;width:.95em;border-top:1px solid var(--strong)}
.tree ul>li:last-child::after{content:"";position:absolute;left:-1px;top:calc(1.15em + 1px);bottom:0;width:1px;
background:var(--page)}
.tree .touched{list-style:none;border:0;margin:0;display:flex;flex-wrap:wrap;gap:.1em 1.4em;font-size:.9rem}
.tree .touched li{padding:0}.tree .touched li::before,.tree .touched li::after{display:none}
"""

_TABLES = """
table{border-collapse:collapse;width:100%;font-size:.925rem}
caption{text-align:left;color:var(--soft);padding-bottom:.5em}
th,td{text-align:left;vertical-align:top;padding:.65em 1em .65em 0;border-top:1px solid var(--line);font-weight:400}
thead th{border-top:0;border-bottom:1px solid var(--strong);color:var(--soft);font-size:.85rem;padding-top:.2em;
white-space:nowrap}
tr>:last-child{padding-right:0}tbody tr:first-child>*{border-top:0}
.name{font-weight:650}.number{white-space:nowrap;font-variant-numeric:tabular-nums}
td.wide{min-width:10.5em}th.wide{min-width:11em}.name{overflow-wrap:break-word}.wide .name{overflow-wrap:anywhere}
details{margin-top:1.2em}summary{cursor:pointer;color:var(--link)}details[open] summary{margin-bottom:.6em}
.limits{padding-left:1.2em}.limits li{margin:.3em 0}
.seal{display:block;padding:.8em 1em;border-radius:8px;letter-spacing:.02em}.seal+p{margin-top:.8em}
footer{margin-top:3.2rem;padding-top:1.1rem;padding-bottom:3rem;color:var(--soft);font-size:.85rem}
footer p{border-top:1px solid var(--line);padding-top:1.1rem}
"""

_NARROW = """
@media (max-width:940px){td.wide{min-width:6em}th.wide{min-width:7em}}
@media screen and (max-width:720px){.frame{padding-inline:16px}.outcome{padding:20px 18px 22px;border-radius:12px}
.outcome h1{font-size:1.4rem}.facts{gap:.5em 2em}
.numbers{grid-template-columns:repeat(3,1fr)}
.flow{padding:14px}.ends{grid-template-columns:1fr;gap:6px}.arrow.over{display:none}
.between{display:flex;gap:.6em;align-items:center;text-align:left;padding-left:14px}
.arrow.down{display:block;margin:0;width:16px;height:44px;flex:none}
.picture{padding:12px}.timeline.wide{display:none}.timeline.narrow{display:block}
.tree ul{margin-left:.2em}.tree li{padding-left:.95em}.tree ul>li::before{width:.65em}
thead{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
tr{display:block;border-top:1px solid var(--line);padding:.7em 0}tbody tr:first-child{border-top:0}
th,td{display:block;border:0;padding:.12em 0;min-width:0!important}
td{position:relative;padding-left:6.6em;min-height:1.7em}
td::before{content:attr(data-label);position:absolute;left:0;width:7.2em;color:var(--soft);font-size:.85rem;
line-height:1.85}.seal{padding:.6em .7em}}
"""

_PAPER = """
@page{size:A4;margin:17mm 16mm 18mm;@bottom-left{content:"AgentGuard session report";font:8pt sans-serif;color:#555}
@bottom-right{content:counter(page) " / " counter(pages);font:8pt sans-serif;color:#555}}
@media print{:root{font-size:12.5px}body{font-size:1rem}.frame{max-width:none;padding-inline:0}.top{padding-top:0}
.contents,.skip{display:none}h2{break-after:avoid;margin-top:1.6rem}h3,caption,summary,figcaption{break-after:avoid}
.flow,.picture,tr,.outcome,.steps li,.numbers,.seal{break-inside:avoid}
.outcome,.end,.tag,.seal,code{border:1px solid var(--strong);background:none}.outcome{border-left:6px solid var(--tone)}
.outcome h1{font-size:1.5rem}code{border-color:var(--line)}.steps a::after{content:" (" attr(href) ")";color:#444}
.steps a{white-space:normal}summary{list-style:none}
details::details-content{content-visibility:visible;block-size:auto}}
"""

STYLE = "".join((_COLOURS, _TEXT, _TOP, _FLOWS, _PICTURES, _TABLES, _NARROW, _PAPER)).strip()
