"use strict";
// Draws each rollout's panels over one x axis. Colours are read from the style sheet at each
// drawing, so that a change of colour scheme needs only a redraw.
(() => {
  const LOWEST = 0.01; // evidence below a hundredth of its limit is all the same to a reader
  const HEIGHTS = { weights: 168, requests: 104, errors: 104, evidence: 168 };
  const RIBBON = 18;
  const FLAGS = 24;
  const PRINTED_WIDTH = 690; // CSS pixels between the margins of an A4 or letter page
  const FLAG_INKS = { pause: "warn", safe: "good", promote: "good" };
  const DASHES = { "channel-2": [7, 3], "channel-3": [2, 2], "channel-4": [9, 3, 2, 3], "channel-5": [4, 4], "channel-6": [6, 2, 1, 2] };

  const timelines = JSON.parse(document.getElementById("charts").textContent);
  const colour = (ink) => getComputedStyle(document.documentElement).getPropertyValue(`--${ink}`).trim();
  const font = (size, weight) => `${weight} ${size * devicePixelRatio}px ${getComputedStyle(document.body).fontFamily}`;
  const short = (value) => (value >= 100 ? Math.round(value).toLocaleString("en") : Number(value.toPrecision(2)).toString());

  function clock(minute) {
    const seconds = Math.round(minute * 60);
    return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
  }

  function lastAtOrBefore(minutes, minute) {
    let index = minutes.length - 1;
    while (index > 0 && minutes[index] > minute) index -= 1;
    return index;
  }

  // ---- beneath the series: the steps in force, the danger from fault to safe, the limit

  function drawGround(u, timeline, kind) {
    const { ctx, bbox } = u;
    const across = (minute) => Math.min(bbox.left + bbox.width, Math.max(bbox.left, u.valToPos(minute, "x", true)));
    ctx.save();
    ctx.setLineDash([]); // the last series of the drawing before may have left its own
    if (timeline.danger) {
      const [from, to] = timeline.danger.map(across);
      ctx.globalAlpha = 0.09;
      ctx.fillStyle = colour("bad");
      ctx.fillRect(from, bbox.top, to - from, bbox.height);
    }
    ctx.globalAlpha = 1;
    ctx.lineWidth = devicePixelRatio;
    ctx.strokeStyle = colour("rule");
    for (const band of timeline.bands) {
      for (const x of [band.start, band.end].map(across)) {
        ctx.beginPath();
        ctx.moveTo(x, bbox.top);
        ctx.lineTo(x, bbox.top + bbox.height);
        ctx.stroke();
      }
    }
    if (kind === "evidence") drawLimit(u, ctx, bbox);
    ctx.restore();
  }

  function drawLimit(u, ctx, bbox) {
    const y = u.valToPos(1, "y", true);
    ctx.fillStyle = ctx.strokeStyle = colour("bad");
    ctx.globalAlpha = 0.06;
    ctx.fillRect(bbox.left, bbox.top, bbox.width, y - bbox.top);
    ctx.globalAlpha = 1;
    ctx.beginPath();
    ctx.moveTo(bbox.left, y);
    ctx.lineTo(bbox.left + bbox.width, y);
    ctx.stroke();
  }

  // ---- above the series: flags, and the ribbon of step weights over the first panel

  function drawMarks(u, timeline, isFirst) {
    const { ctx, bbox } = u;
    const visible = timeline.marks.filter((mark) => mark.minute >= u.scales.x.min && mark.minute <= u.scales.x.max);
    ctx.save();
    ctx.lineWidth = 1.25 * devicePixelRatio;
    ctx.setLineDash([3 * devicePixelRatio, 3 * devicePixelRatio]);
    for (const mark of visible) {
      const x = u.valToPos(mark.minute, "x", true);
      ctx.strokeStyle = colour(FLAG_INKS[mark.kind] || "bad");
      ctx.beginPath();
      ctx.moveTo(x, isFirst ? bbox.top - RIBBON * devicePixelRatio : bbox.top);
      ctx.lineTo(x, bbox.top + bbox.height);
      ctx.stroke();
    }
    ctx.setLineDash([]);
    if (isFirst) {
      drawRibbon(u, ctx, timeline.bands);
      drawFlags(u, ctx, visible);
    }
    ctx.restore();
  }

  function drawRibbon(u, ctx, bands) {
    const { left, width, top } = u.bbox;
    const height = (RIBBON - 4) * devicePixelRatio;
    const y = top - height - 2 * devicePixelRatio;
    ctx.font = font(11, 600);
    ctx.textAlign = "center";
    ctx.textBaseline = "middle";
    for (const band of bands) {
      const from = Math.max(left, u.valToPos(band.start, "x", true));
      const to = Math.min(left + width, u.valToPos(band.end, "x", true));
      if (to <= from) continue;
      ctx.globalAlpha = 0.1 + 0.25 * (band.weight / 100);
      ctx.fillStyle = colour("challenger");
      ctx.fillRect(from + devicePixelRatio, y, to - from - 2 * devicePixelRatio, height);
      ctx.globalAlpha = 1;
      ctx.fillStyle = colour("text");
      const label = `${band.weight} %`;
      if (ctx.measureText(label).width + 6 * devicePixelRatio < to - from) {
        ctx.fillText(label, (from + to) / 2, y + height / 2 + devicePixelRatio / 2);
      }
    }
  }

  function drawFlags(u, ctx, marks) {
    const radius = 9 * devicePixelRatio;
    const y = u.bbox.top - (RIBBON + FLAGS / 2 + 1) * devicePixelRatio;
    const places = apart(marks.map((mark) => u.valToPos(mark.minute, "x", true)), 2.1 * radius, u.ctx.canvas.width - radius);
    ctx.font = font(11, 700);
    ctx.textAlign = "center";
    ctx.textBaseline = "middle";
    marks.forEach((mark, index) => {
      const x = places[index];
      ctx.fillStyle = ctx.strokeStyle = colour(FLAG_INKS[mark.kind] || "bad");
      ctx.beginPath();
      ctx.moveTo(x, y + radius);
      ctx.lineTo(u.valToPos(mark.minute, "x", true), u.bbox.top - RIBBON * devicePixelRatio);
      ctx.stroke();
      ctx.beginPath();
      ctx.arc(x, y, radius, 0, 2 * Math.PI);
      ctx.fill();
      ctx.fillStyle = colour("paper");
      ctx.fillText(String(mark.number), x, y + devicePixelRatio / 2);
    });
  }

  // Flags of events close in time step aside to the right, and at the edge back to the left.
  function apart(wanted, gap, edge) {
    const places = [];
    for (const x of wanted) places.push(places.length ? Math.max(x, places[places.length - 1] + gap) : x);
    for (let i = places.length - 1, most = edge; i >= 0; i -= 1, most = places[i + 1] - gap) places[i] = Math.min(places[i], most);
    return places;
  }

  // ---- one panel

  function seriesOf(line, kind) {
    const stepped = kind !== "evidence";
    return {
      stroke: () => colour(line.ink),
      fill: () => (kind === "errors" || (kind === "weights" && line.ink === "challenger") ? `${colour(line.ink)}2e` : null),
      width: kind === "weights" ? 2 : 1.5,
      dash: stepped ? undefined : DASHES[line.ink],
      paths: stepped ? uPlot.paths.stepped({ align: 1 }) : uPlot.paths.linear(),
      points: { show: !stepped && line.values.filter((value) => value !== null).length < 3 },
      spanGaps: !stepped,
    };
  }

  function axesOf(kind, isLast) {
    const common = {
      stroke: () => colour("soft"),
      font: `12px ${getComputedStyle(document.body).fontFamily}`,
      grid: { stroke: () => colour("rule"), width: 1 },
      ticks: { show: false },
    };
    const ticks = { stroke: () => colour("rule"), width: 1, size: 5 };
    const x = { ...common, grid: { show: false }, ticks, size: isLast ? 30 : 5, space: 56, gap: 4, incrs: [1, 2, 5, 10, 15, 20, 30, 60, 120, 240, 360, 720] };
    const y = { ...common, size: 46, gap: 8, space: 21 };
    if (!isLast) x.values = (_, splits) => splits.map(() => "");
    if (kind === "weights") y.splits = () => [0, 50, 100];
    if (kind === "weights") y.values = (_, splits) => splits.map((value) => `${value} %`);
    if (kind === "requests" || kind === "errors") y.incrs = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 1e4, 1e5, 1e6];
    if (kind === "evidence") y.splits = (u) => [0.01, 0.1, 1, 10, 100].filter((value) => value <= u.scales.y.max);
    if (kind === "evidence") y.values = (_, splits) => splits.map((value) => (value === 1 ? "limit" : `× ${value}`));
    return [x, y];
  }

  function rangeOf(kind) {
    if (kind === "weights") return [0, 104];
    if (kind === "evidence") return (u, low, high) => [LOWEST, Math.max(2, Math.min(100, high ?? 0) * 1.3)];
    return (u, low, high) => [0, Math.max(5, (high ?? 0) * 1.1)];
  }

  function optionsOf(panel, timeline, { isFirst, isLast, key, width, onCursor }) {
    return {
      width,
      height: HEIGHTS[panel.kind] + (isLast ? 26 : 0),
      padding: [isFirst ? RIBBON + FLAGS : 6, 12, isLast ? 0 : 4, 0],
      legend: { show: false },
      scales: {
        x: { time: false, range: (u, low, high) => [low, high] },
        y: { range: rangeOf(panel.kind), distr: panel.kind === "evidence" ? 3 : 1 },
      },
      series: [{}, ...panel.lines.map((line) => seriesOf(line, panel.kind))],
      axes: axesOf(panel.kind, isLast),
      cursor: {
        y: false,
        drag: { x: true, y: false },
        sync: { key, setSeries: false, scales: ["x", null] },
        points: { show: false },
      },
      hooks: {
        drawClear: [(u) => drawGround(u, timeline, panel.kind)],
        draw: [(u) => drawMarks(u, timeline, isFirst)],
        setCursor: [onCursor],
      },
    };
  }

  // A count holds for its whole minute, so where a line ends the chart needs one more point.
  function dataOf(panel) {
    if (panel.kind === "evidence") {
      const floor = (value) => (value === null ? null : Math.max(LOWEST, value));
      return [panel.minutes, ...panel.lines.map((line) => line.values.map(floor))];
    }
    const rows = [];
    panel.minutes.forEach((minute, index) => {
      const row = panel.lines.map((line) => line.values[index]);
      const before = rows.length ? rows[rows.length - 1].slice(1) : row;
      if (row.some((value, place) => value === null && before[place] !== null)) rows.push([minute - 1e-6, ...before]);
      rows.push([minute, ...row]);
    });
    return ["minute", ...panel.lines].map((_, column) => rows.map((row) => row[column]));
  }

  function readout(figure, head, panel) {
    const outputs = head.querySelectorAll(".value");
    const at = figure.querySelector(".at");
    return (u) => {
      const inside = u.cursor.left >= 0;
      const minute = inside ? u.posToVal(u.cursor.left, "x") : 0;
      const index = inside ? lastAtOrBefore(panel.minutes, minute) : 0;
      at.textContent = inside ? clock(minute) : "";
      panel.lines.forEach((line, place) => {
        const value = line.values[index];
        outputs[place].textContent = inside ? (value === null ? "–" : short(value)) : "";
      });
    };
  }

  // ---- the page

  const plots = [];
  for (const figure of document.querySelectorAll("figure.charts")) {
    const key = `rollout-${figure.dataset.rollout}`;
    const timeline = timelines[Number(figure.dataset.rollout)];
    const panels = [...figure.querySelectorAll(".panel")];
    panels.forEach((element, index) => {
      const panel = timeline.panels[index];
      const target = element.querySelector(".plot");
      const onCursor = readout(figure, element.querySelector(".panel-head"), panel);
      const place = { isFirst: index === 0, isLast: index === panels.length - 1, key, width: target.clientWidth, onCursor };
      plots.push({ target, plot: new uPlot(optionsOf(panel, timeline, place), dataOf(panel), target) });
    });
  }

  const redraw = () => plots.forEach(({ plot }) => plot.redraw(false, true));
  const resize = (widthOf) => plots.forEach(({ plot, target }) => plot.setSize({ width: widthOf(target), height: plot.height }));
  const printing = (isOn) => document.documentElement.classList.toggle("printing", isOn);

  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
  addEventListener("resize", () => resize((target) => target.clientWidth));
  addEventListener("beforeprint", () => { printing(true); resize(() => PRINTED_WIDTH); redraw(); });
  addEventListener("afterprint", () => { printing(false); resize((target) => target.clientWidth); redraw(); });
})();
