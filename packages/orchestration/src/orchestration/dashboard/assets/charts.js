// Two bar charts, by Chart.js. Each canvas also says in words what it shows.

/** Writes each bar's own words at its end. */
const barLabels = {
  id: "barLabels",
  afterDatasetsDraw(chart) {
    const { ctx, options } = chart;
    const sideways = options.indexAxis === "y";
    ctx.save();
    ctx.fillStyle = options.color;
    ctx.font = `12px ${Chart.defaults.font.family}`;
    ctx.textAlign = sideways ? "left" : "center";
    ctx.textBaseline = sideways ? "middle" : "bottom";
    chart.getDatasetMeta(0).data.forEach((bar, place) => {
      const words = chart.data.datasets[0].words[place];
      ctx.fillText(words, bar.x + (sideways ? 6 : 0), bar.y - (sideways ? 0 : 4));
    });
    ctx.restore();
  },
};

class Bars {
  /** `onPick` is told the place of a bar that is clicked; without it, bars are only looked at. */
  constructor(holder, { sideways = false, onPick = null } = {}) {
    this.holder = holder;
    this.canvas = holder.querySelector("canvas");
    this.sideways = sideways;
    const values = { display: false, beginAtZero: true };
    const names = { grid: { display: false }, border: { display: false }, ticks: { autoSkip: false } };
    this.chart = new Chart(this.canvas, {
      type: "bar",
      data: { labels: [], datasets: [{ data: [], words: [], borderRadius: 2, maxBarThickness: sideways ? 18 : 64 }] },
      plugins: [barLabels],
      options: {
        animation: false,
        maintainAspectRatio: false,
        indexAxis: sideways ? "y" : "x",
        layout: { padding: sideways ? { right: 64 } : { top: 20 } }, // for the words
        scales: sideways ? { x: values, y: names } : { x: names, y: values },
        onClick: (_, [bar]) => bar && onPick?.(bar.index),
        onHover: ({ native }, [bar]) => { native.target.style.cursor = bar && onPick ? "pointer" : ""; },
        interaction: { mode: "index", axis: sideways ? "y" : "x", intersect: false },
        plugins: {
          legend: { display: false },
          tooltip: {
            displayColors: false,
            callbacks: { title: ([item]) => this.bars[item.dataIndex].name, label: (item) => this.bars[item.dataIndex].details },
          },
        },
      },
    });
  }

  /** Each bar: `name`, `value`, `words` at its end, `details` (lines) for the one who points at it. */
  show(bars, subject) {
    this.bars = bars;
    const [set] = this.chart.data.datasets;
    this.chart.data.labels = bars.map(({ name }) => shortened(name));
    set.data = bars.map(({ value }) => value);
    set.words = bars.map(({ words }) => words);
    if (this.sideways) this.holder.style.flexBasis = `${Math.max(5, bars.length) * 30 + 16}px`;
    this.canvas.setAttribute("aria-label", `${subject}: ${bars.map(({ name, words }) => `${name} ${words}`).join(", ")}`);
    this.paint();
  }

  paint() {
    const { options, data: { datasets: [set] } } = this.chart;
    const [ink, muted] = [colour("ink"), colour("muted")];
    set.backgroundColor = colour("bar");
    set.hoverBackgroundColor = colour("accent");
    options.color = ink;
    for (const scale of Object.values(options.scales)) scale.ticks = { ...scale.ticks, color: muted };
    Object.assign(options.plugins.tooltip, { backgroundColor: ink, titleColor: colour("surface"), bodyColor: colour("surface") });
    this.chart.update();
  }
}

const shortened = (name) => (name.length > 22 ? `${name.slice(0, 21)}…` : name);
