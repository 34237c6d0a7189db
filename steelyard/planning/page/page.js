"use strict";
// Draws the plan's panels. Colours are read from the style sheet at each drawing, so that a change
// of colour scheme needs only a redraw.
(() => {
  const HEIGHT = 168;
  const PRINTED_WIDTH = 320; // CSS pixels: two panels side by side on an A4 or letter page
  const LOWEST = 0.01; // less evidence is all the same to a reader

  const { limit, panels } = JSON.parse(document.getElementById("charts").textContent);
  const colour = (ink) => getComputedStyle(document.documentElement).getPropertyValue(`--${ink}`).trim();
  const short = (value) => (value >= 100 ? Math.round(value).toLocaleString("en") : Number(value.toPrecision(2)).toString());

  function drawLimit(u) {
    const { ctx, bbox } = u;
    const y = u.valToPos(limit, "y", true);
    ctx.save();
    ctx.strokeStyle = colour("bad");
    ctx.lineWidth = devicePixelRatio;
    ctx.setLineDash([6 * devicePixelRatio, 4 * devicePixelRatio]);
    ctx.beginPath();
    ctx.moveTo(bbox.left, y);
    ctx.lineTo(bbox.left + bbox.width, y);
    ctx.stroke();
    ctx.restore();
  }

  const axis = (extra) => ({
    stroke: () => colour("soft"),
    font: `12px ${getComputedStyle(document.body).fontFamily}`,
    grid: { stroke: () => colour("rule"), width: 1 },
    ticks: { show: false },
    ...extra,
  });

  const powers = (u, index, low, high) => {
    const found = [];
    for (let power = Math.ceil(Math.log10(low) - 1e-9); power <= Math.log10(high) + 1e-9; power += 2) found.push(10 ** power);
    return found;
  };

  function draw(element, panel) {
    const at = element.querySelector(".at");
    const target = element.querySelector(".plot");
    const high = limit * 100; // beyond that it has long been decided
    const shown = panel.series.map((values) => values.map((value) => (value === null ? null : Math.min(high, Math.max(LOWEST, value)))));
    const said = (u) => {
      const index = u.cursor.left >= 0 ? u.cursor.idx : null;
      at.textContent = index === null ? "" : `minute ${panel.x[index]}: ${shown.map((values) => (values[index] === null ? "–" : short(values[index]))).join(", ")}`;
    };
    return new uPlot({
      width: target.clientWidth,
      height: HEIGHT,
      padding: [8, 12, 0, 0],
      legend: { show: false },
      scales: { x: { time: false }, y: { distr: 3, range: [LOWEST, high] } },
      series: [{}, ...panel.inks.map((ink) => ({ stroke: () => colour(ink), width: 1.75, points: { show: false } }))],
      axes: [
        axis({ grid: { show: false }, size: 30, gap: 4 }),
        axis({ size: 58, gap: 8, splits: powers, filter: (u, splits) => splits, values: (u, splits) => splits.map(short) }),
      ],
      cursor: { y: false, drag: { x: false, y: false }, points: { show: false } },
      hooks: { draw: [drawLimit], setCursor: [said] },
    }, [panel.x, ...shown], target);
  }

  const plots = Object.entries(panels).map(([name, panel]) => {
    const element = document.getElementById(name);
    return { target: element.querySelector(".plot"), plot: draw(element, panel) };
  });

  const redraw = () => plots.forEach(({ plot }) => plot.redraw(false, true));
  const resize = (widthOf) => plots.forEach(({ plot, target }) => plot.setSize({ width: widthOf(target), height: HEIGHT }));
  const printing = (isOn) => document.documentElement.classList.toggle("printing", isOn);

  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
  addEventListener("resize", () => resize((target) => target.clientWidth));
  addEventListener("beforeprint", () => { printing(true); resize(() => PRINTED_WIDTH); redraw(); });
  addEventListener("afterprint", () => { printing(false); resize((target) => target.clientWidth); redraw(); });
})();
