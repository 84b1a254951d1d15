const light = {
  paper: '#f6f7f9',
  card: '#fff',
  ink: '#1a1f26',
  soft: '#667080',
  rule: '#e4e7ec',
  good: '#2c8c55',
  bad: '#c2670c',
  c1: '#2b6cd4',
  c2: '#d9701a',
  c3: '#2c8c55',
  c4: '#8650b5',
  c5: '#c63f33',
  c6: '#0f8a91',
}
const dark: typeof light = {
  paper: '#111418',
  card: '#191d23',
  ink: '#e5e8ec',
  soft: '#949ead',
  rule: '#2a3039',
  good: '#62c189',
  bad: '#f0a05a',
  c1: '#6ea3f5',
  c2: '#f0a05a',
  c3: '#62c189',
  c4: '#bb8fe6',
  c5: '#ee7f74',
  c6: '#4fc3c9',
}
const variables = (colours: typeof light) =>
  Object.entries(colours)
    .map(([name, value]) => `--${name}:${value}`)
    .join(';')
const letters = 'system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",sans-serif'
const card = 'background:var(--card);border:1px solid var(--rule);border-radius:10px'

/** The look of reports and of the dashboard: one column on a telephone, three on a desk; light and dark. */
export const style = `
:root{color-scheme:light dark;${variables(light)}}
@media(prefers-color-scheme:dark){:root{${variables(dark)}}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%}
body{margin:0;background:var(--paper);color:var(--ink);font:15px/1.5 ${letters};overflow-wrap:anywhere}
main{max-width:1180px;margin:0 auto;padding:28px 20px 56px}
h1{font-size:26px;line-height:1.25;font-weight:650;letter-spacing:-.01em;margin:0}
h2{font-size:18px;font-weight:650;letter-spacing:-.005em;margin:40px 0 12px}
p{margin:0}
.sub,.note{color:var(--soft)}
.sub{margin-top:4px}
.note{font-size:13px;margin-top:6px}
h2+.note{margin:-8px 0 12px}
.facts{display:grid;grid-template-columns:repeat(auto-fit,minmax(128px,1fr));gap:10px;margin:20px 0 0;padding:0}
.facts div{${card};padding:10px 14px}
dt{color:var(--soft);font-size:13px}
dd{margin:0;font-size:19px;font-weight:600;font-variant-numeric:tabular-nums;line-height:1.35}
dd small{display:block;font-size:13px;font-weight:400;color:var(--soft)}
.cards{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,330px),1fr));gap:14px;align-items:start}
figure{margin:0;${card};padding:12px 14px 10px;min-width:0}
figcaption{display:flex;flex-wrap:wrap;gap:2px 12px;align-items:baseline;margin-bottom:8px;font-size:14px}
figcaption b{font-weight:600}
.wide{grid-column:1/-1;overflow-x:auto}
.wide svg{min-width:620px}
.legend{display:flex;flex-wrap:wrap;gap:0 12px;color:var(--soft);font-size:13px}
.key::before{content:"";display:inline-block;width:14px;height:3px;border-radius:2px;background:var(--c);
margin-right:5px;vertical-align:4px}
svg{display:block;width:100%;height:auto;font:11px ${letters};font-variant-numeric:tabular-nums}
svg text{fill:var(--soft)}
svg .name,svg .value,svg .off{fill:var(--ink)}
svg .on{fill:var(--card)}
svg .marked{font-size:10.5px}
.grid,.axis,.line,.aside,.mark{fill:none}
.grid{stroke:var(--rule)}
.axis{stroke:var(--soft);stroke-opacity:.5}
${[1, 2, 3, 4, 5, 6].map(i => `.c${i}{--c:var(--c${i})}`).join('')}
.line{stroke:var(--c);stroke-width:1.7;stroke-linejoin:round;stroke-linecap:round}
.dashed{stroke-dasharray:5 4}
circle,rect,.spark path{fill:var(--c)}
.cloud circle{fill-opacity:.45}
.aside,.mark{stroke:var(--soft);stroke-dasharray:3 4;stroke-opacity:.7}
.whisker{stroke:var(--ink);stroke-opacity:.55}
.spark{width:96px;height:20px;fill-opacity:.75}
.table{${card};overflow-x:auto}
table{border-collapse:collapse;width:100%;font-size:14px}
th,td{padding:6px 12px;text-align:left;border-top:1px solid var(--rule);max-width:26ch;overflow:hidden;
text-overflow:ellipsis;white-space:nowrap;unicode-bidi:isolate}
thead th{border-top:0;white-space:normal;overflow-wrap:normal;vertical-align:bottom;
color:var(--soft);font-weight:500;font-size:13px}
td img{display:block;width:56px;image-rendering:pixelated}
.n{text-align:right;font-variant-numeric:tabular-nums}
.free{white-space:normal;max-width:48ch;min-width:18ch;color:var(--soft)}
.said{list-style:none;margin:0;padding:0;display:grid;gap:8px}
.said li{${card};border-left:4px solid var(--bad);padding:9px 14px}
.state{color:var(--soft);font-size:13px;margin-bottom:12px}
.said .good{border-left-color:var(--good)}
code{font-size:.92em;white-space:nowrap}
pre{margin:8px 0 0;${card};padding:12px 14px;white-space:pre-wrap;
font:13px/1.55 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}
@media(max-width:480px){main{padding:18px 12px 40px}h1{font-size:22px}h2{margin-top:32px}
.facts{grid-template-columns:1fr 1fr}figure{padding:10px 12px 8px}th,td{padding:6px 9px}}
@media print{body{background:#fff}figure,.table,li{break-inside:avoid}}
`
