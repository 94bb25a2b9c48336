// Draws every `[data-chart]` with ECharts in our colours. Its numbers stand in the table under it.
// Tooltips are drawn on the canvas (richText): HTML ones need inline styles, which the page's policy refuses.

function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(`--xz-${name}`).trim();
}

function theme() {
  const ink = colour("ink");
  const muted = colour("muted");
  const line = colour("line");
  const surface = colour("surface");
  const axis = {
    axisLine: { lineStyle: { color: line } },
    axisTick: { show: false },
    axisLabel: { color: muted },
    nameTextStyle: { color: muted },
    splitLine: { lineStyle: { color: line } },
  };
  return {
    color: ["link", "warning", "good", "caution", "urgent", "muted"].map(colour),
    backgroundColor: "transparent",
    textStyle: { color: ink, fontFamily: getComputedStyle(document.body).fontFamily },
    legend: { textStyle: { color: ink }, inactiveColor: muted },
    tooltip: { backgroundColor: surface, borderColor: line, textStyle: { color: ink } },
    categoryAxis: { ...axis, splitLine: { show: false } },
    valueAxis: axis,
    timeAxis: axis,
    logAxis: axis,
    bar: { barMaxWidth: 32 },
    line: { symbolSize: 6 },
  };
}

function complete(option) {
  const series = [option.series ?? []].flat();
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  return {
    animation: !still,
    grid: { left: 8, right: 24, top: series.length > 1 ? 64 : 40, bottom: 8, containLabel: true },
    ...(series.length > 1 ? { legend: { top: 0, left: 0 } } : {}),
    ...option,
    tooltip: { trigger: "axis", ...option.tooltip, renderMode: "richText" },
  };
}

function draw(place) {
  const option = JSON.parse(document.getElementById(place.dataset.chart).textContent);
  echarts.getInstanceByDom(place)?.dispose();
  const chart = echarts.init(place, theme());
  chart.on("finished", () => (place.dataset.drawn = "1"));
  chart.setOption(complete(option));
}

function drawAll() {
  document.querySelectorAll("[data-chart]").forEach(draw);
}

drawAll();
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);
document.addEventListener("htmx:afterSettle", drawAll);
let timer;
addEventListener("resize", () => {
  clearTimeout(timer);
  timer = setTimeout(() => {
    for (const place of document.querySelectorAll("[data-chart]")) echarts.getInstanceByDom(place)?.resize();
  }, 150);
});
