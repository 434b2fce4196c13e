import { plainPage } from "./plainPage.ts";

/**
 * What is written first where curves are wanted: recharts as its guide begins, one `LineChart` a metric, a `Line` a run, every point of the array given to it.
 * Animation is off, as everybody turns it off. `show(charts, lines, points)` draws, `grow(points)` adds a point to every line; both resolve after the paint.
 */
export const naiveCharts = (): string =>
  plainPage({
    packages: { React: "react", client: "react-dom/client", Recharts: "recharts" },
    script: `
      const { LineChart, Line, XAxis, YAxis, CartesianGrid, Tooltip } = Recharts;
      const root = client.createRoot(document.getElementById("root"));
      let data = [], names = [];
      const valueAt = (chart, line, step) => 2.3 / Math.sqrt(1 + step / (20 + line)) + 0.05 * Math.sin(step * (line + chart + 1.7) * 12.9898);
      const rowAt = (chart, step) => Object.fromEntries([["step", step], ...names.map((name, line) => [name, valueAt(chart, line, step)])]);
      const e = React.createElement;
      function Chart({ rows }) {
        return e(LineChart, { width: 560, height: 220, data: rows }, e(CartesianGrid), e(XAxis, { dataKey: "step" }), e(YAxis), e(Tooltip),
          names.map((name) => e(Line, { key: name, dataKey: name, dot: false, isAnimationActive: false })));
      }
      const painted = () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(performance.now()))));
      const render = () => root.render(e("div", { style: { display: "grid", gridTemplateColumns: "1fr 1fr" } }, data.map((rows, at) => e(Chart, { key: at, rows }))));
      async function until(count) {
        while (document.querySelectorAll("path.recharts-curve").length < count) await painted();
        return painted();
      }
      window.show = async (charts, lines, points) => {
        names = Array.from({ length: lines }, (_, at) => "run " + at);
        data = Array.from({ length: charts }, (_, chart) => Array.from({ length: points }, (_, at) => rowAt(chart, at + 1)));
        const from = performance.now();
        render();
        return (await until(charts * lines)) - from;
      };
      window.grow = async () => {
        data = data.map((rows, chart) => [...rows, rowAt(chart, rows.length + 1)]);
        render();
        await painted();
      };`,
  });
