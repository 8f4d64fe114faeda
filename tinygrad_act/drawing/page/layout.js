// The coordinates, as drawing/layout.py's `placed` finds them: a test holds the two together.
const GAP = 14, LINE_GAP = 7, LAYER_GAP = 26, PADDING = 10, TITLE = 16, ROUNDS = 4;

function placed(boxes, nodes, edges, direction) {
  const turned = direction === "LR", across = new Map(), along = new Map(), at = boxes.map(() => []);
  const box = item => boxes[-1 - item], open = item => item < 0 && !box(item).f && !box(item).closed;
  const opened = [-1];
  for (const item of opened) opened.push(...box(item).p.filter(open));
  const width = (slot) => slot[0] === null ? 0 : across.get(slot[0]);
  for (const item of [...opened].reverse()) {
    const b = box(item), place = at[-1 - item], root = item === -1, title = root ? 0 : TITLE;
    for (const part of b.p) if (!across.has(part)) {
      const [w, h] = part < 0 ? box(part).s : nodes[part].s;
      across.set(part, turned ? h : w);
      along.set(part, turned ? w : h);
    }
    straighten(b, place, width);
    let left = Infinity, right = -Infinity;
    b.slots.forEach((slot, i) => {
      left = Math.min(left, place[i] - width(slot) / 2);
      right = Math.max(right, place[i] + width(slot) / 2);
    });
    if (!b.slots.length) left = right = 0;
    const shift = PADDING + (turned ? title : 0) - left;
    b.slots.forEach((_, i) => { place[i] += shift; });
    const [leastWide, leastHigh] = root ? [0, 0] : [b.w, 0];
    across.set(item, Math.max(right + shift + PADDING, turned ? leastHigh : leastWide));
    b.starts = [0];
    b.depths = [0];
    let start = PADDING + (turned ? 0 : title);
    for (const layer of b.layers.slice(1, -1)) {
      const depth = Math.max(0, ...layer.filter(i => b.slots[i][0] !== null).map(i => along.get(b.slots[i][0])));
      b.starts.push(start);
      b.depths.push(depth);
      start += depth + LAYER_GAP;
    }
    along.set(item, Math.max(start - LAYER_GAP + PADDING, turned ? leastWide : leastHigh));
    b.starts.push(along.get(item));
    b.depths.push(0);
  }
  const corners = new Map([[-1, [0, 0]]]), parent = new Map(), slotOf = new Map(), layerOf = new Map();
  boxes.forEach((b, i) => (b.layers || []).forEach((layer, n) => layer.forEach(s => {
    if (b.slots[s][0] !== null) {
      parent.set(b.slots[s][0], -1 - i);
      slotOf.set(b.slots[s][0], s);
      layerOf.set(b.slots[s][0], n);
    }
  })));
  for (const item of opened) {
    const b = box(item), [x, y] = corners.get(item);
    for (const part of b.p) {
      const n = layerOf.get(part), middle = y + b.starts[n] + b.depths[n] / 2;
      corners.set(part, [x + at[-1 - item][slotOf.get(part)] - across.get(part) / 2, middle - along.get(part) / 2]);
    }
  }
  const path = item => { const up = [item]; while (parent.has(up[0])) up.unshift(parent.get(up[0])); return up; };
  const seen = way => way.find(item => item < 0 && item !== -1 && !open(item)) ?? way[way.length - 1];
  const find = (pairs, source) => pairs.find(pair => pair[0] === source)[1];
  const lines = [], drawn = new Set();
  for (const [source, target] of edges) {
    const a = path(source), b = path(target), first = seen(a), last = seen(b), points = [];
    if (first === last || drawn.has(first + "," + last)) continue;
    drawn.add(first + "," + last);
    let n = 0;
    while (a[n] === b[n]) n++;
    const passes = (item, from, to) => {
      const here = box(item), [x, y] = corners.get(item);
      for (let layer = from; layer < to; layer++) {
        const slot = here.lines.find(line => line[0] === source && line[1] === layer)[2];
        const across = x + at[-1 - item][slot], start = y + here.starts[layer];
        points.push([across, start], [across, start + here.depths[layer]]);
      }
    };
    const edge = (item, up, end) => {
      const here = box(up), n = layerOf.get(item);
      return [corners.get(item)[0] + across.get(item) / 2, corners.get(up)[1] + here.starts[n] + (end ? here.depths[n] : 0)];
    };
    const [x, y] = corners.get(first);
    points.push([x + across.get(first) / 2, y + along.get(first)], edge(first, parent.get(first), true));
    for (let i = a.indexOf(first) - 1; i >= n; i--) {
      const here = box(a[i]), [x, y] = corners.get(a[i]);
      passes(a[i], layerOf.get(a[i + 1]) + 1, here.layers.length - 1);
      points.push([x + at[-1 - a[i]][find(here.exits, source)], y + along.get(a[i])]);
    }
    passes(a[n - 1], layerOf.get(a[n]) + 1, layerOf.get(b[n]));
    for (let i = n; i < b.indexOf(last); i++) {
      const here = box(b[i]), [x, y] = corners.get(b[i]);
      points.push([x + at[-1 - b[i]][find(here.entries, source)], y]);
      passes(b[i], 1, layerOf.get(b[i + 1]));
    }
    const [x2, y2] = corners.get(last);
    points.push(edge(last, parent.get(last), false), [x2 + across.get(last) / 2, y2]);
    lines.push([first, last, turned ? points.map(([x, y]) => [y, x]) : points]);
  }
  const rectangles = new Map([...corners].map(([item, [x, y]]) =>
    [item, turned ? [y, x, along.get(item), across.get(item)] : [x, y, across.get(item), along.get(item)]]));
  return { rectangles, lines };
}

function straighten(b, place, width) {
  for (const layer of b.layers) {
    let at = 0;
    for (const i of layer) {
      place[i] = at + width(b.slots[i]) / 2;
      at += width(b.slots[i]) + (b.slots[i][0] === null ? LINE_GAP : GAP);
    }
  }
  for (let turn = 0; turn < 2 * ROUNDS; turn++) {
    const forth = turn % 2 === 0;
    for (const layer of forth ? b.layers : [...b.layers].reverse()) {
      const wanted = layer.map(i => {
        const near = b.slots[i][forth ? 1 : 2];
        return near.length ? [near.reduce((sum, j) => sum + place[j], 0) / near.length, b.slots[i][0] === null ? 3 : 1]
          : [place[i], 0.1];
      });
      isotonic(b, layer, wanted, place, width);
    }
  }
}

function isotonic(b, layer, wanted, place, width) {
  const offsets = [0], pools = [];
  for (let k = 1; k < layer.length; k++) {
    const one = b.slots[layer[k - 1]], two = b.slots[layer[k]];
    const gap = one[0] === null || two[0] === null ? LINE_GAP : GAP;
    offsets.push(offsets[k - 1] + (width(one) + width(two)) / 2 + gap);
  }
  wanted.forEach(([at, weight], k) => {
    let mean = at - offsets[k], many = 1;
    while (pools.length && pools[pools.length - 1][0] > mean) {
      const [before, heavy, count] = pools.pop();
      mean = (before * heavy + mean * weight) / (heavy + weight);
      weight += heavy;
      many += count;
    }
    pools.push([mean, weight, many]);
  });
  let k = 0;
  for (const [mean, , many] of pools) for (let j = 0; j < many; j++, k++) place[layer[k]] = mean + offsets[k];
}
