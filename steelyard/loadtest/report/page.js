"use strict";
// Draws the load test's panels. Colours are read from the style sheet at each drawing, so that a
// change of colour scheme needs only a redraw.
(() => {
  const HEIGHT = 200;
  const PRINTED_WIDTH = 690; // CSS pixels between the margins of an A4 or letter page

  const charts = JSON.parse(document.getElementById("charts").textContent);
  const colour = (ink) => getComputedStyle(document.documentElement).getPropertyValue(`--${ink}`).trim();
  const short = (value) => (value === null ? "" : value >= 100 ? Math.round(value).toLocaleString("en") : Number(value.toPrecision(3)).toString());
  const FINDINGS = { good: "good", over: "bad", unsure: "warn" };

  // A share as people say it: 10 is 90 %, 1,000 is 99.9 %.
  const asShare = (odds) => `${Number((100 - 100 / odds).toPrecision(6))} %`;

  // Whole decades around what is drawn, the limit among it unless that is far away.
  function decades(values) {
    const seen = values.filter((value) => value !== null && value > 0);
    const limit = charts.limit;
    const high = Math.max(...seen, limit);
    const low = Math.min(...seen, limit);
    if (!seen.length) return [limit / 10, limit * 10];
    return [10 ** Math.floor(Math.log10(low)), 10 ** Math.ceil(Math.log10(high * 1.05))];
  }

  function line(u, ink, from, to, dash = []) {
    const { ctx } = u;
    ctx.save();
    ctx.strokeStyle = colour(ink);
    ctx.lineWidth = 1.5 * devicePixelRatio;
    ctx.setLineDash(dash.map((length) => length * devicePixelRatio));
    ctx.beginPath();
    ctx.moveTo(...from);
    ctx.lineTo(...to);
    ctx.stroke();
    ctx.restore();
  }

  function drawLimit(u) {
    const { left, top, width, height } = u.bbox;
    const y = u.valToPos(charts.limit, "y", true);
    if (y >= top && y <= top + height) line(u, "bad", [left, y], [left + width, y], [6, 4]);
  }

  function drawKnee(u) {
    const { left, top, width, height } = u.bbox;
    const { good, bad, points } = charts.rate;
    if (good !== null) {
      const x = u.valToPos(good, "x", true);
      const end = bad === null ? left + width : u.valToPos(bad, "x", true);
      u.ctx.save();
      u.ctx.fillStyle = `${colour("good")}22`;
      u.ctx.fillRect(x, top, end - x, height);
      u.ctx.restore();
      line(u, "good", [x, top], [x, top + height]);
    }
    for (const [rate, p99, finding] of points) {
      // A run without a p99 to draw stands at the top edge.
      const y = p99 === null ? top : u.valToPos(p99, "y", true);
      u.ctx.save();
      u.ctx.fillStyle = colour(FINDINGS[finding]);
      u.ctx.beginPath();
      u.ctx.arc(u.valToPos(rate, "x", true), y, 3.5 * devicePixelRatio, 0, 2 * Math.PI);
      u.ctx.fill();
      u.ctx.restore();
    }
  }

  const series = (ink, width = 1.75) => ({ stroke: () => colour(ink), width, points: { show: false }, spanGaps: false });

  function axis(extra) {
    return {
      filter: (u, splits) => splits, // by default, a logarithmic axis labels its decades only
      stroke: () => colour("soft"),
      font: `12px ${getComputedStyle(document.body).fontFamily}`,
      grid: { stroke: () => colour("rule"), width: 1 },
      ticks: { show: false },
      ...extra,
    };
  }

  const powers = (u, index, low, high) => {
    const found = [];
    for (let power = Math.ceil(Math.log10(low) - 1e-9); power <= Math.log10(high) + 1e-9; power += 1) found.push(10 ** power);
    return found;
  };

  // The more to a decade, the fewer decades there are.
  const marks = (u, index, low, high) => {
    const steps = high / low > 150 ? [1] : high / low > 8 ? [1, 2, 5] : [1, 1.5, 2, 3, 4, 5, 6, 7, 8, 9];
    return powers(u, index, low / 10, high).flatMap((power) => steps.map((step) => step * power)).filter((value) => value >= low * 0.999 && value <= high * 1.001);
  };

  // ---- what each panel shows

  function overTime() {
    const { x, p50, p99 } = charts.time;
    return { data: [x, p50, p99], series: [series("champion"), series("challenger")], log: [...p50, ...p99], said: (value) => `second ${value}`, above: drawLimit };
  }

  function byShare() {
    const { response, service } = charts.curve;
    const x = [...new Set([...response, ...service].map(([odds]) => odds))].sort((a, b) => a - b);
    const column = (pairs) => { const by = new Map(pairs); return x.map((odds) => by.get(odds) ?? null); };
    const data = [x, column(response), column(service)];
    const values = (u, splits) => splits.map((odds) => (odds === 1 ? "0 %" : asShare(odds)));
    return {
      data, series: [series("challenger"), series("champion")], log: [...data[1], ...data[2]], said: asShare, above: drawLimit,
      x: { distr: 3, range: (u, low, high) => [1, Math.max(high ?? 10, 10)] }, xAxis: { splits: powers, values },
    };
  }

  function overRate() {
    const best = new Map();
    for (const [rate, p99] of charts.rate.points) if (p99 !== null) best.set(rate, Math.min(p99, best.get(rate) ?? Infinity));
    const rates = [...new Set(charts.rate.points.map(([rate]) => rate))];
    const p99 = rates.map((rate) => best.get(rate) ?? null);
    return {
      data: [rates, p99], series: [series("challenger")], log: p99, said: (rate) => `${short(rate)} requests/s`, above: (u) => { drawLimit(u); drawKnee(u); },
      x: { distr: 3, range: (u, low, high) => [low / 1.2, high * 1.2] }, xAxis: { splits: marks, values: (u, splits) => splits.map(short) },
    };
  }

  function memory() {
    const [x, held] = [0, 1].map((column) => charts.memory.map((reading) => reading[column]));
    return { data: [x, held], series: [{ ...series("channel-2"), fill: () => `${colour("channel-2")}1f` }], said: (value) => `second ${value.toFixed(0)}` };
  }

  function optionsOf(panel, width, onCursor) {
    const range = panel.log ? () => decades(panel.log) : (u, low, high) => [0, (high || 1) * 1.1];
    return {
      width,
      height: HEIGHT,
      padding: [8, 12, 0, 0],
      legend: { show: false },
      scales: { x: { time: false, ...panel.x }, y: { distr: panel.log ? 3 : 1, range } },
      series: [{}, ...panel.series],
      axes: [
        axis({ grid: { show: false }, ticks: { stroke: () => colour("rule"), width: 1, size: 5 }, size: 30, gap: 4, ...panel.xAxis }),
        axis({ size: 46, gap: 8, space: 24, values: (u, splits) => splits.map(short), ...(panel.log ? { splits: marks } : {}) }),
      ],
      cursor: { y: false, drag: { x: true, y: false }, points: { show: false } },
      hooks: { draw: panel.above ? [panel.above] : [], setCursor: [onCursor] },
    };
  }

  function readout(element, panel) {
    const outputs = element.querySelectorAll(".value");
    const at = element.querySelector(".at");
    return (u) => {
      const index = u.cursor.left >= 0 ? u.cursor.idx : null;
      at.textContent = index === null ? "" : panel.said(panel.data[0][index]);
      panel.series.forEach((_, place) => {
        const value = index === null ? undefined : panel.data[place + 1][index];
        outputs[place].textContent = value === undefined ? "" : value === null ? "–" : short(value);
      });
    };
  }

  // ---- the page

  const panels = { time: overTime, curve: byShare, rate: overRate, memory };
  const plots = [];
  for (const [name, make] of Object.entries(panels)) {
    const element = document.getElementById(name);
    if (element === null) continue;
    const panel = make();
    const target = element.querySelector(".plot");
    plots.push({ target, plot: new uPlot(optionsOf(panel, target.clientWidth, readout(element, panel)), panel.data, target) });
  }

  const redraw = () => plots.forEach(({ plot }) => plot.redraw(false, true));
  const resize = (widthOf) => plots.forEach(({ plot, target }) => plot.setSize({ width: widthOf(target), height: plot.height }));
  const printing = (isOn) => document.documentElement.classList.toggle("printing", isOn);

  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
  addEventListener("resize", () => resize((target) => target.clientWidth));
  addEventListener("beforeprint", () => { printing(true); resize(() => PRINTED_WIDTH); redraw(); });
  addEventListener("afterprint", () => { printing(false); resize((target) => target.clientWidth); redraw(); });
})();
