"""The one style sheet of the HTML report: light and dark, narrow and wide, screen and paper."""

STYLE = """
:root{--bg:#f6f7f9;--card:#fff;--ink:#1a1d23;--soft:#5b6472;--line:#dfe3e9;--plain:#4a6fa5;
--leaked:#c4232b;--leaked-bg:#fdecec;--exposed:#9a5b00;--exposed-bg:#fff4e0;--unknown:#7a3fa8;
--unknown-bg:#f5ecfc;--clean:#1d7a3e;--clean-bg:#e8f6ec;--blocked:#0b6e7f;--code:#eef1f5}
@media (prefers-color-scheme:dark){:root{--bg:#12151a;--card:#1a1f27;--ink:#e7eaf0;--soft:#9aa5b5;
--line:#2d3541;--plain:#82aae3;--leaked:#ff7b7b;--leaked-bg:#3a1a1d;--exposed:#f0b45a;--exposed-bg:#37290f;
--unknown:#cc9cf5;--unknown-bg:#2c1d3a;--clean:#6fd08c;--clean-bg:#14301d;--blocked:#5fd0e0;--code:#242b36}}
:root{color-scheme:light dark}
*{box-sizing:border-box}
body{margin:0;background:var(--bg);color:var(--ink);
font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",sans-serif}
main{max-width:1040px;margin:0 auto;padding:32px 24px 64px}
h1{font-size:1.5rem;line-height:1.25;margin:.1em 0 .3em}
h2{font-size:1.15rem;margin:2.4em 0 .7em}
h3{font-size:1rem;margin:1.6em 0 .4em}
p{margin:.4em 0}
a{color:var(--plain)}
code,.mono{font:.86em/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;
overflow-wrap:anywhere}
code{background:var(--code);border-radius:4px;padding:.1em .35em}
.brand{color:var(--soft);font-weight:600;letter-spacing:.02em;margin:0}
.facts{display:grid;grid-template-columns:max-content 1fr;gap:.15em 1.2em;margin:.6em 0 0;color:var(--soft)}
.facts dt{color:var(--soft)}.facts dd{margin:0;color:var(--ink);min-width:0}
.outcome{margin:22px 0 0;padding:20px 24px;border-radius:12px;border-left:7px solid}
.outcome .word{font-size:1.35rem;font-weight:750;letter-spacing:.03em;margin:0}
.outcome .reason{font-size:1.08rem;font-weight:600;color:var(--ink)}
.outcome .meaning{color:var(--ink)}
.outcome.leaked{background:var(--leaked-bg);border-color:var(--leaked)}.leaked .word{color:var(--leaked)}
.outcome.exposed{background:var(--exposed-bg);border-color:var(--exposed)}.exposed .word{color:var(--exposed)}
.outcome.unknown{background:var(--unknown-bg);border-color:var(--unknown)}.unknown .word{color:var(--unknown)}
.outcome.clean{background:var(--clean-bg);border-color:var(--clean)}.clean .word{color:var(--clean)}
.numbers{display:grid;grid-template-columns:repeat(auto-fit,minmax(140px,1fr));gap:12px;margin:16px 0 0;padding:0}
.numbers div{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:12px 16px;display:flex;
flex-direction:column-reverse;justify-content:flex-end}
.numbers dt{color:var(--soft);font-size:.86rem}.numbers dd{margin:0;font-size:1.5rem;font-weight:700;line-height:1.2}
.card{background:var(--card);border:1px solid var(--line);border-radius:12px;padding:16px 20px;margin:0 0 14px}
ol.steps{margin:0;padding-left:1.4em}ol.steps li{margin:.55em 0}ol.steps .do{font-weight:650}
.soft{color:var(--soft)}
.flow{display:grid;grid-template-columns:1fr auto 1fr;gap:8px 22px;align-items:center}
.flow .end{min-width:0}.flow .act{font-size:.8rem;font-weight:700;letter-spacing:.06em;color:var(--soft);margin:0}
.flow .what{font-weight:650;overflow-wrap:anywhere;margin:.1em 0}
.flow .between{text-align:center;color:var(--soft);white-space:nowrap}
.flow .between b{display:block;color:var(--ink);font-size:1.05rem}
.flow .arrow{font-size:1.5rem;line-height:1;color:var(--soft)}
.flow-foot{border-top:1px solid var(--line);margin-top:12px;padding-top:10px}
.chain{font-size:.86rem;color:var(--soft);overflow-wrap:anywhere}
.tag{display:inline-block;font-size:.8rem;font-weight:650;border:1px solid;border-radius:99px;padding:.05em .65em;
white-space:nowrap;color:var(--soft)}
.tag.leaked,.tag.critical,.tag.high,.tag.failed{color:var(--leaked)}.tag.exposed,.tag.medium,.tag.unavailable{color:
var(--exposed)}.tag.unknown{color:var(--unknown)}.tag.clean,.tag.running{color:var(--clean)}
.tag.blocked{color:var(--blocked)}
.scroll{overflow-x:auto;background:var(--card);border:1px solid var(--line);border-radius:12px}
table{border-collapse:collapse;width:100%;font-size:.93rem}
th,td{text-align:left;vertical-align:top;padding:.55em .7em;border-top:1px solid var(--line)}
thead th{border-top:0;color:var(--soft);font-size:.82rem;font-weight:600;white-space:nowrap}
td.when{white-space:nowrap;font-variant-numeric:tabular-nums}
td.wide{min-width:120px;overflow-wrap:anywhere}
td .mono{overflow-wrap:anywhere}td .whole{white-space:nowrap}
.timeline{display:block;width:100%;height:auto}
.timeline text{font:13px system-ui,sans-serif;fill:var(--soft)}.timeline .lane-name{text-anchor:end;fill:var(--ink)}
.timeline .lane{stroke:var(--line);stroke-width:1.5}.timeline .tick{stroke:var(--line);stroke-dasharray:2 5}
.mark{fill:var(--plain);stroke:var(--card);stroke-width:1}
.mark.leaked{fill:var(--leaked)}.mark.exposed,.mark.grave{fill:var(--exposed)}.mark.unknown{fill:var(--unknown)}
.mark.blocked{fill:var(--blocked)}.mark.quiet{fill:none;stroke:var(--soft);stroke-width:1.5}
.arc{fill:none;stroke:var(--plain);stroke-width:1.6;opacity:.75}
.arc.leaked{stroke:var(--leaked)}.arc.exposed{stroke:var(--exposed)}
.legend{color:var(--soft);font-size:.86rem;white-space:pre-wrap;margin:.6em 0 0}
details{margin:.8em 0}summary{cursor:pointer;color:var(--soft)}
.seal{overflow-wrap:anywhere}
footer{margin-top:3em;color:var(--soft);font-size:.86rem;border-top:1px solid var(--line);padding-top:1em}
@media (max-width:720px){.flow{grid-template-columns:1fr}.flow .between{text-align:left}.flow .arrow{display:none}
.flow .between b{display:inline}.facts{grid-template-columns:1fr}.facts dt{margin-top:.4em}}
@media print{:root{--bg:#fff;--card:#fff;--ink:#000;--soft:#444;--line:#bbb;--plain:#204a87;--leaked:#a40000;
--leaked-bg:#fff;--exposed:#7a4a00;--exposed-bg:#fff;--unknown:#5c2b86;--unknown-bg:#fff;--clean:#14602f;
--clean-bg:#fff;--blocked:#07525f;--code:#fff;color-scheme:light}body{font-size:11pt}main{max-width:none;padding:0}
h2{break-after:avoid}.card,.flow,tr,.outcome,svg{break-inside:avoid}.scroll{overflow:visible}
.outcome{border:1px solid #888;border-left-width:7px}details>*{display:block}summary{display:none}}
""".strip()
