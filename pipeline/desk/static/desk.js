"use strict";
// The desk's own script: choose a night, tick all lines that wait, draw charts with uPlot.

function chooseNight() {
  const choice = document.querySelector("form.night select");
  if (!choice) return;
  choice.addEventListener("change", () => {
    const form = choice.closest("form");
    const page = form.dataset.page === "item" ? "items" : form.dataset.page;
    const here = window.location.pathname.split("/" + page + "/")[1];
    const item = page === "items" && here ? "/" + here : "";
    window.location.assign(`${form.dataset.root}/${choice.value}/${page}${item}`);
  });
}

function lookAgain() {
  const waiting = document.querySelector("[data-reload]");
  if (waiting) setTimeout(() => window.location.reload(), 1000 * Number(waiting.dataset.reload));
}

function tickAll() {
  for (const box of document.querySelectorAll("input[data-all]")) {
    box.addEventListener("change", () => {
      for (const line of document.querySelectorAll("input[data-waits]")) line.checked = box.checked;
    });
  }
}

const seconds = (day) => Date.parse(day + "T00:00:00Z") / 1000;

function fan(holder, data) {
  const days = data.history.map((row) => seconds(row.day));
  if (!days.length) return;
  const last = days[days.length - 1];
  const ends = [], mean = [], low = [], high = [];
  let before = { window_days: 0, mean: 0, low: 0, high: 0 };
  for (const row of data.fan) {
    const span = row.window_days - before.window_days;
    ends.push(last + row.window_days * 86400);
    mean.push((row.mean - before.mean) / span);
    low.push(row.low / row.window_days);
    high.push(row.high / row.window_days);
    before = row;
  }
  const pad = (values, count, front) =>
    front ? Array(count).fill(null).concat(values) : values.concat(Array(count).fill(null));
  const style = getComputedStyle(document.documentElement);
  const ink = style.getPropertyValue("--ink").trim();
  const link = style.getPropertyValue("--link").trim();
  const mark = style.getPropertyValue("--mark").trim();
  const quiet = style.getPropertyValue("--quiet").trim();
  const axis = { stroke: ink, grid: { stroke: style.getPropertyValue("--line").trim() } };
  const price = (_, value) => (value == null ? "–" : "$" + value.toFixed(2));
  const units = (_, value) => (value == null ? "–" : value.toFixed(1));
  const options = {
    width: Math.max(320, holder.clientWidth), height: 300,
    tzDate: (time) => uPlot.tzDate(new Date(time * 1000), "Etc/UTC"),
    scales: { price: {} },
    axes: [axis, axis, { scale: "price", side: 1, stroke: quiet, grid: { show: false } }],
    series: [
      {},
      { label: "sold a day", stroke: ink, value: units },
      { label: "expected a day", stroke: link, width: 2, value: units },
      { label: "5 %", stroke: mark, dash: [4, 4], value: units },
      { label: "95 %", stroke: mark, dash: [4, 4], value: units },
      { label: "price", scale: "price", stroke: quiet, dash: [2, 3], value: price },
    ],
  };
  const sold = data.history.map((row) => row.units);
  const prices = data.history.map((row) => row.price);
  const count = ends.length, past = days.length;
  new uPlot(options, [
    days.concat(ends), pad(sold, count, false), pad(mean, past, true), pad(low, past, true),
    pad(high, past, true), pad(prices, count, false),
  ], holder);
}

function band(holder, rows) {
  const style = getComputedStyle(document.documentElement);
  const ink = style.getPropertyValue("--ink").trim();
  const link = style.getPropertyValue("--link").trim();
  const mark = style.getPropertyValue("--mark").trim();
  const axis = { stroke: ink, grid: { stroke: style.getPropertyValue("--line").trim() } };
  const figure = (_, value) =>
    value == null ? "–" : value.toLocaleString("en-US", { maximumFractionDigits: 2 });
  const options = {
    width: Math.max(320, holder.clientWidth), height: 300,
    tzDate: (time) => uPlot.tzDate(new Date(time * 1000), "Etc/UTC"),
    axes: [axis, { ...axis, size: 80 }],
    series: [
      {},
      { label: holder.dataset.low || "1 in 10 below", stroke: mark, dash: [4, 4], value: figure },
      { label: "median", stroke: link, width: 2, value: figure },
      { label: holder.dataset.high || "1 in 10 above", stroke: mark, dash: [4, 4], value: figure },
    ],
  };
  new uPlot(options, [
    rows.map((row) => seconds(row.week)), rows.map((row) => row.low_value),
    rows.map((row) => row.median_value), rows.map((row) => row.high_value),
  ], holder);
}

document.addEventListener("DOMContentLoaded", () => {
  chooseNight();
  tickAll();
  lookAgain();
  for (const holder of document.querySelectorAll("[data-chart]")) {
    const draw = holder.dataset.chart === "fan" ? fan : band;
    draw(holder, JSON.parse(holder.querySelector("script").textContent));
  }
});
