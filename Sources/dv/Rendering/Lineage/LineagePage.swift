import DVRepository

/// A graph as one HTML page that needs nothing else: drag to move, wheel to zoom, search, click a node for its record.
///
/// All of the graph is data in the page and reaches the document as text only, so that no name of a file can be markup; a
/// policy in the page forbids every request.
struct LineagePage {
  let graph: LineageGraph

  init(_ graph: LineageGraph) { self.graph = graph }

  var text: String {
    var json = JSONText()
    json.object { LineageJSON.write(graph, to: &$0) }
    // Inside a script only `<` could end it, and two separators were line ends in older JavaScript.
    let data = json.text.replacing("<", with: "\\u003c").replacing("\u{2028}", with: "\\u2028").replacing("\u{2029}", with: "\\u2029")
    return Self.page.replacing("/*DATA*/null", with: data, maxReplacements: 1)
  }

  private static let page = #"""
    <!doctype html>
    <html lang="en"><head><meta charset="utf-8">
    <meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'">
    <meta name="viewport" content="width=device-width"><title>dv lineage</title>
    <style>
    :root{color-scheme:light dark;--bg:#fafafa;--fg:#1c2024;--line:#9aa3ad;--card:#fff;--edge:#b3bac2;--accent:#0b62d6}
    @media(prefers-color-scheme:dark){:root{--bg:#16191d;--fg:#e6e9ec;--line:#59626c;--card:#20252b;--edge:#4a525b;--accent:#6cabff}}
    *{box-sizing:border-box}html,body{margin:0;height:100%;background:var(--bg);color:var(--fg);font:13px/1.4 system-ui,sans-serif;overflow:hidden}
    header{position:fixed;top:0;left:0;right:0;display:flex;gap:.6em;align-items:center;padding:.5em .8em;background:var(--card);border-bottom:1px solid var(--line);z-index:2}
    header b{margin-right:.5em}input{font:inherit;padding:.25em .5em;width:18em;background:var(--bg);color:var(--fg);border:1px solid var(--line);border-radius:4px}
    button{font:inherit;padding:.25em .6em;background:var(--bg);color:var(--fg);border:1px solid var(--line);border-radius:4px;cursor:pointer}
    svg{position:absolute;inset:0;width:100%;height:100%;cursor:grab;touch-action:none}
    svg text{fill:var(--fg);font-size:12px;pointer-events:none}svg .sub{font-size:10px;opacity:.65}
    .node{cursor:pointer}.node rect{fill:var(--card);stroke:var(--line);stroke-width:1.2}
    .node.target rect{stroke-width:3}.node.picked rect{stroke:var(--accent);stroke-width:3}
    .node.dim,.edge.dim{opacity:.18}.edge path{fill:none;stroke:var(--edge);stroke-width:1.3}.edge text{font-size:9px;opacity:.7}
    .edge.lit path{stroke:var(--accent);stroke-width:2}
    aside{position:fixed;right:0;top:3em;bottom:0;width:27em;max-width:90%;overflow:auto;padding:1em;background:var(--card);border-left:1px solid var(--line);display:none;z-index:2}
    aside.open{display:block}aside h2{font-size:15px;margin:0 0 .5em;overflow-wrap:anywhere}dl{margin:0}dt{opacity:.65;font-size:11px;margin-top:.5em}
    dd{margin:0;font-family:ui-monospace,monospace;font-size:12px;overflow-wrap:anywhere}aside a{color:var(--accent);cursor:pointer;display:block;margin:.2em 0}
    #legend{margin-left:auto;display:flex;gap:.8em;flex-wrap:wrap}#legend i{display:inline-block;width:.8em;height:.8em;border-radius:2px;margin-right:.3em}
    </style></head><body>
    <header><b>dv lineage</b><input id="q" type="search" placeholder="Search: name, hash, anything" aria-label="Search">
    <span id="n" aria-live="polite"></span><button id="fit">Fit</button><span id="legend"></span></header>
    <svg id="s" role="img" aria-label="lineage graph"><defs><marker id="a" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0L8 4L0 8z" fill="var(--edge)"/></marker></defs><g id="v"></g></svg>
    <aside id="d" aria-label="record"></aside>
    <script>
    "use strict";
    const G=/*DATA*/null;
    const C={data:"#2f7d4f",run:"#b3611b",commit:"#6b7280",model:"#7c3aed",alias:"#c0267e",source:"#0e7490",parameters:"#8a7a12",reproduction:"#1d4ed8",profile:"#4d7c0f",attestation:"#9f1239",record:"#525252"};
    const $=i=>document.getElementById(i),S=(t,a,p)=>{const e=document.createElementNS("http://www.w3.org/2000/svg",t);for(const k in a)e.setAttribute(k,a[k]);if(p)p.append(e);return e};
    const H=(t,x,p)=>{const e=document.createElement(t);if(x!=null)e.textContent=x;if(p)p.append(e);return e};
    const N=new Map(G.nodes.map(n=>[n.id,n]));G.nodes.forEach(n=>{n.i=[];n.o=[];n.l=0});
    const E=G.edges.filter(e=>N.has(e.from)&&N.has(e.to));E.forEach(e=>{N.get(e.from).o.push(e);N.get(e.to).i.push(e)});
    // Layers: each node after all it comes from (Kahn); what lies on a circle stays where it is.
    const left=new Map(G.nodes.map(n=>[n,n.i.length]));let queue=G.nodes.filter(n=>!n.i.length);
    for(let k=0;k<queue.length;k++)for(const e of queue[k].o){const m=N.get(e.to);m.l=Math.max(m.l,queue[k].l+1);left.set(m,left.get(m)-1);if(left.get(m)==0)queue.push(m)}
    // What starts something stands close to it.
    queue.reverse().forEach(n=>{if(n.o.length)n.l=Math.max(n.l,Math.min(...n.o.map(e=>N.get(e.to).l))-1)});
    const L=[];G.nodes.forEach(n=>(L[n.l]=L[n.l]||[]).push(n));
    for(let k=0;k<L.length;k++)L[k]=L[k]||[];
    L.forEach(l=>l.forEach((n,k)=>n.y=k));
    for(let pass=0;pass<6;pass++){const up=pass%2;(up?[...L].reverse():L).forEach(l=>{
      l.forEach(n=>{const w=(up?n.o:n.i).map(e=>N.get(up?e.to:e.from).y);n.k=w.length?w.reduce((a,b)=>a+b)/w.length:n.y});
      l.sort((a,b)=>a.k-b.k);l.forEach((n,k)=>n.y=k-(l.length-1)/2)})}
    const W=210,D=290,R=58;G.nodes.forEach(n=>{n.x=n.l*D;n.y*=R});
    const v=$("v"),cut=(t,m)=>t.length>m?t.slice(0,m-1)+"…":t;
    E.forEach(e=>{const a=N.get(e.from),b=N.get(e.to),g=S("g",{class:"edge"},v),x1=a.x+W,x2=b.x,m=Math.max(40,(x2-x1)/2);
      S("path",{d:`M${x1} ${a.y}C${x1+m} ${a.y} ${x2-m} ${b.y} ${x2} ${b.y}`,"marker-end":"url(#a)"},g);
      S("text",{x:(x1+x2)/2,y:(a.y+b.y)/2-3,"text-anchor":"middle"},g).textContent=e.role;e.g=g});
    G.nodes.forEach(n=>{const g=n.g=S("g",{class:"node"+(G.targets.includes(n.id)?" target":""),transform:`translate(${n.x},${n.y})`,tabindex:0,role:"button"},v);
      S("title",{},g).textContent=n.label;S("rect",{x:0,y:-20,width:W,height:40,rx:5},g);S("rect",{x:0,y:-20,width:6,height:40,rx:2,style:`fill:${C[n.type]||"#555"};stroke:none`},g);
      S("text",{x:13,y:-3},g).textContent=cut(n.label,30);
      const f=n.facts;S("text",{x:13,y:12,class:"sub"},g).textContent=n.type+"  "+cut((f.oid||f.record||f.commit||f.tag||"").replace("sha256:",""),14);
      n.t=(n.id+" "+n.label+" "+Object.values(f).join(" ")).toLowerCase();
      g.addEventListener("click",()=>{if(!moved)pick(n)});g.addEventListener("keydown",e=>{if(e.key=="Enter")pick(n)})});
    let x=0,y=0,z=1,moved=false,drag=null;const s=$("s"),draw=()=>v.setAttribute("transform",`translate(${x},${y}) scale(${z})`);
    function fit(){if(!G.nodes.length)return;const xs=G.nodes.map(n=>n.x),ys=G.nodes.map(n=>n.y),x0=Math.min(...xs),y0=Math.min(...ys)-30,w=Math.max(...xs)+W-x0,h=Math.max(...ys)+30-y0;
      z=Math.min(1.4,(innerWidth-40)/w,(innerHeight-90)/h);x=(innerWidth-w*z)/2-x0*z;y=50+(innerHeight-50-h*z)/2-y0*z;draw()}
    s.addEventListener("wheel",e=>{e.preventDefault();const k=Math.exp(-e.deltaY*.0015);x=e.clientX-(e.clientX-x)*k;y=e.clientY-(e.clientY-y)*k;z*=k;draw()},{passive:false});
    s.addEventListener("pointerdown",e=>{drag=[e.clientX-x,e.clientY-y,e.clientX,e.clientY];moved=false});
    addEventListener("pointermove",e=>{if(!drag)return;if(Math.hypot(e.clientX-drag[2],e.clientY-drag[3])>4)moved=true;x=e.clientX-drag[0];y=e.clientY-drag[1];draw()});
    addEventListener("pointerup",()=>drag=null);
    function reach(n){const r=new Set([n]);for(const[p,q]of[["i","from"],["o","to"]]){const w=[n],seen=new Set(w);while(w.length)for(const e of w.pop()[p]){const m=N.get(e[q]);if(!seen.has(m)){seen.add(m);r.add(m);w.push(m)}}}return r}
    function pick(n){const r=reach(n);G.nodes.forEach(m=>{m.g.classList.toggle("picked",m==n);m.g.classList.toggle("dim",!r.has(m))});
      E.forEach(e=>{const on=r.has(N.get(e.from))&&r.has(N.get(e.to));e.g.classList.toggle("dim",!on);e.g.classList.toggle("lit",e.from==n.id||e.to==n.id)});
      const d=$("d");d.replaceChildren();d.className="open";const b=H("button","Close",d);b.style.float="right";b.onclick=clear;H("h2",n.label,d);
      const l=H("dl",null,d);const row=(k,w)=>{H("dt",k,l);H("dd",w,l)};row("type",n.type);
      for(const k in n.facts)row(k,["start","end","time"].includes(k)&&/^\d+$/.test(n.facts[k])?new Date(+n.facts[k]).toISOString():n.facts[k]);
      const list=(t,es,q)=>{if(!es.length)return;H("dt",t,l);es.forEach(e=>{const a=H("a",e.role+": "+N.get(e[q]).label,H("dd",null,l));a.tabIndex=0;a.onclick=()=>pick(N.get(e[q]))})};
      list("came from",n.i,"from");list("led to",n.o,"to")}
    function clear(){$("d").className="";G.nodes.forEach(m=>m.g.classList.remove("picked","dim"));E.forEach(e=>e.g.classList.remove("dim","lit"))}
    s.addEventListener("click",e=>{if(!moved&&e.target==s)clear()});addEventListener("keydown",e=>{if(e.key=="Escape")clear()});
    $("q").addEventListener("input",e=>{clear();const t=e.target.value.trim().toLowerCase();if(!t){$("n").textContent="";return}
      const hit=G.nodes.filter(n=>n.t.includes(t));G.nodes.forEach(n=>n.g.classList.toggle("dim",!hit.includes(n)));E.forEach(e=>e.g.classList.add("dim"));
      $("n").textContent=hit.length+" found";if(hit.length==1){const n=hit[0];x=innerWidth/2-(n.x+W/2)*z;y=innerHeight/2-n.y*z;draw()}});
    $("fit").onclick=fit;new Set(G.nodes.map(n=>n.type)).forEach(t=>{const p=H("span",null,$("legend"));const i=H("i",null,p);i.style.background=C[t]||"#555";p.append(t)});
    fit();addEventListener("resize",fit);document.body.dataset.nodes=G.nodes.length;
    const h=decodeURIComponent(location.hash.slice(1));if(N.has(h))pick(N.get(h));
    </script></body></html>

    """#
}
