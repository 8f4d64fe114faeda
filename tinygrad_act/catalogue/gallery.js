const all = selector => [...document.querySelectorAll(selector)];
const rows = all("#overview tbody tr"), articles = all("article"), sections = all("section");
const find = document.getElementById("find"), count = document.getElementById("count");
const texts = new Map(articles.map(article => [article.id, article.textContent.toLowerCase()]));
const nameOf = row => row.querySelector("a").textContent;

function filter() {
    const wanted = find.value.toLowerCase().split(/\s+/).filter(Boolean);
    const fits = id => wanted.every(word => texts.get(id).includes(word));
    for (const article of articles) article.hidden = !fits(article.id);
    for (const row of rows) row.hidden = !fits(nameOf(row));
    for (const section of sections) section.hidden = !section.querySelector("article:not([hidden])");
    const left = articles.filter(article => !article.hidden).length;
    count.textContent = wanted.length ? `${left} of ${articles.length}` : "";
}
find.addEventListener("input", filter);
find.addEventListener("keydown", event => { if (event.key === "Escape") { find.value = ""; filter(); } });

const order = new Map(rows.map((row, i) => [row, i]));
const cell = (row, i) => row.cells[i].textContent;
const numberIn = text => { const found = /[\u2212-]?(\d+\.?\d*(e[\u2212-]?\d+)?|\u221e)/.exec(text); return found ? Number(found[0].replaceAll("\u2212", "-").replace("\u221e", "Infinity")) : NaN; };
all("#overview th button").forEach((button, i) => button.addEventListener("click", () => {
    const head = button.parentElement, was = head.getAttribute("aria-sort"), words = i < 2;
    for (const other of all("#overview th")) other.removeAttribute("aria-sort");
    const sign = was === "ascending" ? -1 : 1;
    if (was !== "descending") head.setAttribute("aria-sort", sign > 0 ? "ascending" : "descending");
    const before = (a, b) => {
        if (was === "descending") return order.get(a) - order.get(b);
        const [x, y] = [cell(a, i + 1), cell(b, i + 1)];
        if (words) return sign * x.localeCompare(y);
        const [u, v] = [numberIn(x), numberIn(y)];
        if (isNaN(u) || isNaN(v)) return isNaN(u) - isNaN(v) || order.get(a) - order.get(b);
        return (u < v ? -sign : u > v ? sign : 0) || order.get(a) - order.get(b);
    };
    document.querySelector("#overview tbody").append(...[...rows].sort(before));
}));

// Under the pointer the curves are read off their own lines.
const FRAME = [30, 20, 352, 204], NAMES = ["f\u2033", "f\u2032", "f"];
const told = (v, unit) => String(Number(v.toFixed(Math.max(0, Math.ceil(-Math.log10(unit)))))).replace("-", "\u2212");
for (const svg of all("figure>svg")) {
    const [low, high] = svg.dataset.x.split(" ").map(Number), [bottom, top] = svg.dataset.y.split(" ").map(Number);
    const scales = svg.dataset.by.split(" ").map(Number).reverse();
    const read = document.createElement("p"), line = document.createElementNS("http://www.w3.org/2000/svg", "path");
    read.className = "read";
    svg.parentElement.append(read);
    line.setAttribute("stroke", "#7f7f7f");
    line.setAttribute("stroke-dasharray", "2 2");
    let curves = null;
    const heightAt = (pieces, x) => {
        for (const piece of pieces)
            for (let i = 1; i < piece.length; i++) {
                const [[a, c], [b, d]] = [piece[i - 1], piece[i]];
                if (a <= x && x <= b) return b > a ? c + (d - c) * (x - a) / (b - a) : d;
            }
        return null;
    };
    svg.addEventListener("pointermove", event => {
        curves ??= [...svg.querySelectorAll(":scope > svg path")].map(path => path.getAttribute("d").split("M").slice(1)
            .map(piece => piece.trim().split(" ").map(point => point.split(",").map(Number))));
        const box = svg.getBoundingClientRect(), px = (event.clientX - box.x) * 360 / box.width;
        if (px < FRAME[0] || px > FRAME[2]) { line.remove(); read.textContent = ""; return; }
        const x = low + (px - FRAME[0]) / (FRAME[2] - FRAME[0]) * (high - low), said = [];
        curves.forEach((pieces, k) => {
            const y = heightAt(pieces, px);
            const unit = scales[k] * (top - bottom) / (FRAME[3] - FRAME[1]);
            if (y !== null) said.unshift(`${NAMES[k]} ${told(scales[k] * bottom + (FRAME[3] - y) * unit, unit / 5)}`);
        });
        line.setAttribute("d", `M${px},${FRAME[1]}V${FRAME[3]}`);
        svg.append(line);
        read.textContent = `x ${told(x, (high - low) / 1000)}: ${said.join(", ")}`;
    });
    svg.addEventListener("pointerleave", () => { line.remove(); read.textContent = ""; });
}
