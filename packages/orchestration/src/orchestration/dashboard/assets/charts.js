// Two bar charts, by Chart.js. Each canvas also says in words what it shows.

const labelFont = () => `12px ${Chart.defaults.font.family}`;

/** Writes each bar's own words at its end. */
const barLabels = {
  id: "barLabels",
  afterDatasetsDraw(chart) {
    const { ctx, options } = chart;
    const sideways = options.indexAxis === "y";
    ctx.save();
    ctx.fillStyle = options.color;
    ctx.font = labelFont();
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
    const fitted = (place) => this.fitted(this.bars[place].name);
    const names = { grid: { display: false }, border: { display: false }, ticks: { autoSkip: false, callback: fitted } };
    this.chart = new Chart(this.canvas, {
      type: "bar",
      data: { labels: [], datasets: [{ data: [], words: [], borderRadius: 2, maxBarThickness: sideways ? 18 : 64 }] },
      plugins: [barLabels],
      options: {
        animation: false,
        maintainAspectRatio: false,
        indexAxis: sideways ? "y" : "x",
        layout: { padding: { top: sideways ? 0 : 20 } }, // for the words; sideways, their width decides
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
    this.chart.data.labels = bars.map(({ name }) => name);
    set.data = bars.map(({ value }) => value);
    set.words = bars.map(({ words }) => words);
    if (this.sideways) {
      this.holder.style.flexBasis = `${Math.max(5, bars.length) * 30 + 16}px`;
      this.chart.options.layout.padding = { right: this.widest(set.words) + 12 };
    }
    this.canvas.setAttribute("aria-label", `${subject}: ${bars.map(({ name, words }) => `${name} ${words}`).join(", ")}`);
    this.paint();
  }

  /** Pixels of the longest words, in the font they are written in. */
  widest(words) {
    const { ctx } = this.chart;
    ctx.save();
    ctx.font = labelFont();
    const widths = words.map((each) => ctx.measureText(each).width);
    ctx.restore();
    return Math.ceil(Math.max(0, ...widths));
  }

  /** A bar's name, cut where it would take more than two fifths of the chart. */
  fitted(name) {
    const letters = [...name];
    const room = this.chart.width * 0.4;
    if (!this.sideways || this.widest([name]) <= room) return name;
    while (letters.length > 1 && this.widest([`${letters.join("")}…`]) > room) letters.pop();
    return `${letters.join("")}…`;
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
