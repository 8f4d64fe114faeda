const data = JSON.parse(document.getElementById("data").textContent);
const { nodes, boxes, edges, steps, tables, formulas } = data;
const get = id => document.getElementById(id);
let direction = data.direction, step = 0, timer = 0, view = [0, 0, 100, 100], laid, marks = new Map(), arrows = [];

function svg(name, attributes, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

function html(name, attributes, ...children) {
  const made = document.createElement(name);
  Object.assign(made, attributes);
  made.append(...children);
  return made;
}

// ---- the picture

const canvas = svg("svg", { role: "group" });
get("picture").append(canvas);

function draw() {
  laid = placed(boxes, nodes, edges, direction);
  marks = new Map();
  arrows = [];
  const parts = [];
  for (const [item, r] of laid.rectangles) if (item < -1 && !boxes[-1 - item].f && !boxes[-1 - item].closed) parts.push(openBox(item, r));
  for (const [from, to, points] of laid.lines) {
    const path = svg("path", { class: "edge", d: curve(points) }), [x, y] = points[points.length - 1];
    const head = svg("polygon", { class: "head", points: direction === "LR"
      ? `${x - 6},${y - 3} ${x},${y} ${x - 6},${y + 3}` : `${x - 3},${y - 6} ${x},${y} ${x + 3},${y - 6}` });
    arrows.push({ from, to, path, head });
    parts.push(path, head);
  }
  for (const [item, r] of laid.rectangles) if (item >= 0 || (item < -1 && (boxes[-1 - item].f || boxes[-1 - item].closed))) parts.push(node(item, r));
  canvas.replaceChildren(...parts);
  get("fold").textContent = boxes.some((box, i) => i && !box.f && !box.closed) ? "fold all" : "unfold all";
}

function curve(points) {
  let d = `M${points[0]}`;
  for (let i = 1; i < points.length; i++) {
    const [x, y] = points[i - 1], [p, q] = points[i];
    if (direction === "LR" ? y === q : x === p) d += `L${p},${q}`;
    else if (direction === "LR") d += `C${(x + p) / 2},${y} ${(x + p) / 2},${q} ${p},${q}`;
    else d += `C${x},${(y + q) / 2} ${p},${(y + q) / 2} ${p},${q}`;
  }
  return d;
}

function onChoice(part, does) {
  part.addEventListener("click", does);
  part.addEventListener("keydown", event => {
    if (event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    event.stopPropagation();
    does();
  });
}

function openBox(item, [x, y, width, height]) {
  const title = svg("text", { x: x + 6, y: y + 12, tabindex: 0, role: "button", "data-item": item,
    "aria-label": `fold ${boxes[-1 - item].t}` }, `▾ ${boxes[-1 - item].t}`);
  onChoice(title, () => setFold(item, true));
  return svg("g", { class: "box" }, svg("rect", { x, y, width, height, rx: 6 }), title);
}

function node(item, [x, y, width, height]) {
  const shut = item < 0, of = shut ? boxes[-1 - item] : nodes[item];
  const lines = shut ? of.l.map((text, i) => [(i ? "" : "▸ ") + text, i ? "facts" : "title"]) : of.l;
  const round = of.k === "input" ? 12 : of.k === "constant" || of.k === "parameter" ? 2 : 4;
  const group = svg("g", { class: `node ${shut ? "shut" : of.k}${of.r ? " root" : ""}`, tabindex: 0, role: "button",
    "data-item": item, "aria-label": lines.map(line => line[0]).join(", ") });
  group.append(svg("title", {}, shut ? `unfold ${of.t}` : of.x || of.t), svg("rect", { class: "frame", x, y, width, height, rx: round }));
  if (of.k === "parameter") group.append(svg("rect", { class: "frame second", x: x + 2.5, y: y + 2.5, width: width - 5, height: height - 5 }));
  lines.forEach(([text, look], i) => group.append(svg("text", { class: look, x: x + 8, y: y + 4 + (i + .78) * 13 }, text)));
  onChoice(group, () => shut ? setFold(item, false) : jumpTo(item));
  marks.set(item, group);
  return group;
}

function setFold(item, folded) {
  if (boxes[-1 - item].closed) return jumpTo(item);
  boxes[-1 - item].f = folded ? 1 : 0;
  draw();
  show();
  canvas.querySelector(`[data-item="${item}"]`)?.focus();
}

function fit() {
  const [, , width, height] = laid.rectangles.get(-1);
  look(-10, -10, width + 20, height + 20);
}

function zoom(by, x = view[0] + view[2] / 2, y = view[1] + view[3] / 2) {
  look(x - (x - view[0]) * by, y - (y - view[1]) * by, view[2] * by, view[3] * by);
}

function scale() {  // pixels of the screen for one of the picture
  const frame = canvas.getBoundingClientRect();
  return Math.min(frame.width / view[2], frame.height / view[3]);
}

function follow(item) {  // bring what the step is at into view, if it is not
  const at = laid.rectangles.get(item) || laid.rectangles.get(seenAs((users.get(item) || [item])[0]));
  if (!at || !scale()) return;  // a frame may have no size yet
  const frame = canvas.getBoundingClientRect(), x = at[0] + at[2] / 2, y = at[1] + at[3] / 2, s = scale();
  const wide = frame.width / s, high = frame.height / s, left = view[0] + (view[2] - wide) / 2, top = view[1] + (view[3] - high) / 2;
  if (x < left || x > left + wide || y < top || y > top + high) look(x - view[2] / 2, y - view[3] / 2, view[2], view[3]);
}

function look(...where) {
  view = where;
  canvas.setAttribute("viewBox", view.join(" "));
}

canvas.addEventListener("wheel", event => {
  event.preventDefault();
  const frame = canvas.getBoundingClientRect(), by = event.deltaY > 0 ? 1.15 : 1 / 1.15;
  const x = view[0] + (event.clientX - frame.left) / frame.width * view[2], y = view[1] + (event.clientY - frame.top) / frame.height * view[3];
  zoom(by, x, y);
}, { passive: false });
let held = null, dragged = false;
canvas.addEventListener("pointerdown", event => {
  held = [event.clientX, event.clientY, ...view];
  dragged = false;
});
canvas.addEventListener("click", event => { if (dragged) event.stopPropagation(); }, { capture: true });
addEventListener("pointerup", () => { held = null; });
addEventListener("pointermove", event => {
  if (!held) return;
  dragged ||= Math.hypot(event.clientX - held[0], event.clientY - held[1]) > 4;
  if (!dragged) return;
  const frame = canvas.getBoundingClientRect(), scale = Math.max(held[4] / frame.width, held[5] / frame.height);
  look(held[2] - (event.clientX - held[0]) * scale, held[3] - (event.clientY - held[1]) * scale, held[4], held[5]);
});

// ---- the steps

const parents = new Map();
boxes.forEach((box, i) => (box.p || []).forEach(part => parents.set(part, -1 - i)));

const users = new Map();  // of what is drawn inside them
nodes.forEach((of, i) => (of.i || []).forEach(([, from]) => users.set(from, [...users.get(from) || [], i])));

function seenAs(item) {
  let found = item;
  for (let up = item; up !== undefined; up = parents.get(up)) if (up < -1 && (boxes[-1 - up].f || boxes[-1 - up].closed)) found = up;
  return found;
}

function within(part, box) {
  for (let up = part; up !== undefined; up = parents.get(up)) if (up === box) return true;
  return false;
}

function jumpTo(item) {
  const phase = steps[step].p;
  let of = [];
  for (let up = item; !of.length && up !== undefined; up = parents.get(up)) of = steps.map((s, i) => [s, i]).filter(([s]) => s.n === up || s.b === up);
  const found = of.find(([s]) => s.p === phase) || of[0];
  if (found) go(found[1]);
}

function go(to) {
  step = Math.max(0, Math.min(steps.length - 1, to));
  try { history.replaceState(null, "", `#step=${step + 1}`); } catch { /* a frame has no address of its own */ }
  show();
}

function show() {
  const now = steps[step], phase = now.p ? "backward" : "forward", item = seenAs(now.n ?? now.b);
  for (const mark of marks.values()) mark.classList.remove("forward", "backward", "near");
  for (const { path, head } of arrows) for (const part of [path, head]) part.classList.remove("forward", "backward");
  marks.get(item)?.classList.add(phase);
  if (now.b !== undefined && !marks.has(item)) for (const [part, mark] of marks) if (within(part, now.b)) mark.classList.add("near", phase);
  if (!marks.has(item)) for (const user of users.get(now.n) || []) marks.get(seenAs(user))?.classList.add("near", phase);
  const targets = new Set((now.o || []).map(out => out.t === null ? null : seenAs(out.t)));
  for (const arrow of arrows) if (arrow.to === item && (!now.p || targets.has(arrow.from))) {
    for (const part of [arrow.path, arrow.head]) part.classList.add(phase);
    marks.get(arrow.from)?.classList.add("near", phase);
  }
  follow(item);
  get("slider").value = step;
  get("where").textContent = `step ${step + 1} of ${steps.length} · ${phase}`;
  get("slider").setAttribute("aria-valuetext", get("where").textContent);
  get("details").replaceChildren(...(now.b !== undefined ? ofBox(now) : now.p ? backward(now) : forward(now)));
  get("details").scrollTop = 0;
}

const heading = (now, title, kind) => [html("span", { className: `phase ${now.p ? "backward" : ""}` }, now.p ? "backward" : "forward"),
  html("h2", {}, title + " ", html("small", {}, kind))];
const kinds = { parameter: "parameter", input: "input", constant: "constant", result: "" };

function ofBox(now) {
  const box = boxes[-1 - now.b];
  return [...heading(now, box.t, "module"), html("p", {}, `${box.l[1]} in one step; ${box.closed ? "the graph is too large to open them here" : box.f ? "click the box to unfold it" : "the values in it have no steps of their own"}.`)];
}

function forward(now) {
  const of = nodes[now.n], parts = heading(now, of.t, kinds[of.k]);
  if (of.f !== undefined) parts.push(formula(of.f));
  (of.i || []).forEach(([argument, from]) => {
    if (from === null || from === undefined) return;
    parts.push(html("h3", {}, argument === nodes[from].c ? argument : `${argument}: ${nodes[from].c}`), numbers(nodes[from].v));
  });
  parts.push(html("h3", {}, of.i ? `y: ${of.c}` : of.c), numbers(of.v));
  return parts;
}

function backward(now) {
  const of = nodes[now.n], parts = heading(now, of.t, kinds[of.k]);
  parts.push(html("h3", {}, now.o ? `ȳ, the gradient that arrives at ${of.c}` : `the gradient of ${of.c}`), numbers(now.g));
  if (now.d !== undefined) parts.push(html("h3", {}, "the slope, element by element"), numbers(now.d));
  (now.o || []).forEach(out => {
    const to = out.t === null ? "" : nodes[out.t].c;
    parts.push(html("h3", {}, `to ${out.a === to ? to : `${out.a}: ${to}`}`));
    if (out.r !== undefined) parts.push(formula(out.r));
    if (out.s) parts.push(html("p", {}, out.s));
    parts.push(numbers(out.g));
    if (out.u) parts.push(html("p", {}, sum(out)), numbers(out.w));
  });
  return parts;
}

function sum(out) {
  const alone = [out.b, out.g, out.w].map(t => tables[t].v.length === 1 && tables[t].v[0].length === 1 ? tables[t].v[0][0] : null);
  const use = ["", "", "second use", "third use"][out.u] || `use ${out.u}`;
  return alone.includes(null) ? `${use}: added to what has come before` : `${use}: ${alone.slice(0, 2).map(short).join(" + ")} = ${short(alone[2])}`;
}

function formula(i) {
  const made = html("div", { className: "formula" });
  made.innerHTML = formulas[i];
  return made;
}

function numbers(i) {
  const { k, v, h, m } = tables[i] ?? { k: "", v: [] }, parts = [];
  if (k) parts.push(html("p", { className: "kind" }, k + (m ? ` · ${m}` : "")));
  else if (m) parts.push(html("p", {}, m));
  if (v.length) parts.push(html("div", { className: "scroll" }, html("table", {}, ...v.map(row => html("tr", {}, ...row.map(x => cell(x, h)))))));
  return html("div", {}, ...parts);
}

function short(x) {
  return x !== 0 && (Math.abs(x) < 1e-3 || Math.abs(x) >= 1e5) ? String(Number(x.toPrecision(4)).toExponential()) : String(x);
}

function cell(x, largest) {
  const made = html("td", {}, x === null ? "…" : typeof x === "number" ? short(x) : x);
  if (typeof x === "number" && largest > 0) made.style.background = `rgba(var(${x < 0 ? "--minus" : "--plus"}),${(.65 * Math.abs(x) / largest).toFixed(3)})`;
  if (typeof x === "string") made.style.fontWeight = "bold";
  return made;
}

// ---- controls

function play() {
  clearInterval(timer);
  timer = timer ? 0 : setInterval(() => step < steps.length - 1 ? go(step + 1) : play(), 1200);
  if (timer && step === steps.length - 1) go(0);
  get("play").textContent = timer ? "pause" : "play";
}

function foldAll() {
  const any = boxes.some((box, i) => i && !box.f && !box.closed);
  boxes.forEach((box, i) => { if (i && !box.closed) box.f = any ? 1 : 0; });
  draw();
  fit();
  show();
}

function turn() {
  direction = direction === "LR" ? "TB" : "LR";
  draw();
  fit();
  show();
}

const keys = { ArrowRight: () => go(step + 1), ArrowLeft: () => go(step - 1), Home: () => go(0), End: () => go(steps.length - 1),
  " ": play, f: foldAll, d: turn, 0: fit, "+": () => zoom(1 / 1.3), "-": () => zoom(1.3) };
addEventListener("keydown", event => {
  if (event.ctrlKey || event.metaKey || event.altKey || !(event.key in keys)) return;
  if (event.key === " " && event.target.tagName === "BUTTON") return;
  if (event.target === get("slider") && event.key !== " " && event.key.length > 1) return;
  event.preventDefault();
  keys[event.key]();
});
const clicks = { closer: keys["+"], further: keys["-"], first: keys.Home, back: keys.ArrowLeft, play, next: keys.ArrowRight, last: keys.End, fold: foldAll, turn, fit };
for (const [id, does] of Object.entries(clicks)) get(id).addEventListener("click", does);
get("slider").max = steps.length - 1;
get("slider").addEventListener("input", () => go(Number(get("slider").value)));
function fromAddress() {
  const asked = /step=(\d+)/.exec(location.hash);
  if (asked) go(Number(asked[1]) - 1);
}
addEventListener("hashchange", fromAddress);
get("note").textContent = ["Left and right keys step; click a node to jump to it, a module's title to fold it. Cells: blue above 0, orange below.", data.note].filter(Boolean).join(" ");
get("fold").hidden = boxes.length < 2;
draw();
fit();
if (scale() > 0 && scale() < .5) zoom(scale() / .7, ...laid.rectangles.get(seenAs(steps[0].n ?? steps[0].b)) || [0, 0]);  // large: a part of it
show();
fromAddress();
