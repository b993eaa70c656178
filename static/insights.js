// Draws each chart of the insights page from the cells of its table, which stands below it and says the same.

const MOST_ROWS = 12;
/** So much of the width a letter of a label may take. */
const LETTER_PX = 16;
const COLUMN_PX = 40;
const HOURS_A_DAY = 24;
/** The first column drawn, the second one; in a stack from fresh to old. */
const INKS = ["--o-brand-fill", "--o-line-strong"];
const STACKED = ["--o-brand-fill", "--o-line-strong", "--o-warning", "--o-danger"];

const root = document.documentElement;
const plain = new Intl.NumberFormat(root.lang, { notation: "compact", maximumFractionDigits: 1 });
const shares = new Intl.NumberFormat(root.lang, { style: "percent", maximumFractionDigits: 0 });
const days = new Intl.NumberFormat(root.lang, { style: "unit", unit: "day", unitDisplay: "short" });
const hours = new Intl.NumberFormat(root.lang, { style: "unit", unit: "hour", unitDisplay: "short" });

/** A token's colour in the theme of now: only a computed style knows it. */
function ink(token) {
  const probe = document.createElement("span");
  probe.style.color = `var(${token})`;
  document.body.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}

/** What of the table is drawn: labels, and for each column its name, figures and their words. */
function read(canvas) {
  const table = document.getElementById(canvas.dataset.chart);
  const heads = table.tHead.rows[0].cells;
  const rows = [...table.tBodies[0].rows];
  const shown = canvas.dataset.shape === "columns" ? rows : rows.slice(0, MOST_ROWS);
  const columns = canvas.dataset.columns.split(",").map(Number);
  return {
    kind: heads[columns[0]].dataset.kind,
    labels: shown.map((row) => row.cells[0].textContent),
    sets: columns.map((column) => ({
      label: heads[column].textContent,
      figures: shown.map(({ cells }) => (cells[column].dataset.value ? Number(cells[column].dataset.value) : null)),
      words: shown.map(({ cells }) => cells[column].textContent.trim()),
      links: shown.map(({ cells }) => cells[column].querySelector("a")?.href),
    })),
  };
}

/** How an axis says a figure. */
function says(kind, largest) {
  if (kind === "percent") return (figure) => shares.format(figure / 100);
  if (kind !== "hours") return (figure) => plain.format(figure);
  return largest >= 2 * HOURS_A_DAY ? (figure) => days.format(figure / HOURS_A_DAY) : (figure) => hours.format(figure);
}

function step(kind, largest) {
  if (kind !== "hours" || largest < 2 * HOURS_A_DAY) return {};
  return { stepSize: HOURS_A_DAY * Math.max(1, Math.ceil(largest / HOURS_A_DAY / 6)) };
}

const short = (label, most) => (label.length > most ? `${label.slice(0, most - 1)}…` : label);

function options(canvas, { kind, labels, sets }, still) {
  const lying = canvas.dataset.shape !== "columns";
  const stacked = canvas.dataset.shape === "stack";
  const letters = Math.floor(canvas.parentElement.clientWidth / LETTER_PX);
  const largest = Math.max(...sets.flatMap((set) => set.figures.map(Number)));
  const [text, line, strong] = ["--o-text-2", "--o-line", "--o-text"].map(ink);
  const figures = {
    beginAtZero: true,
    ...(kind === "percent" ? { max: 100 } : {}),
    stacked,
    border: { display: false },
    grid: { color: line },
    ticks: {
      color: text,
      maxTicksLimit: 6,
      callback: says(kind, largest),
      ...(kind === "count" ? { precision: 0 } : step(kind, largest)),
    },
  };
  const names = {
    stacked,
    border: { color: line },
    grid: { display: false },
    ticks: { color: text, autoSkip: !lying, callback: (_value, index) => short(labels[index], letters) },
  };
  return {
    indexAxis: lying ? "y" : "x",
    maintainAspectRatio: false,
    animation: still ? false : { duration: 150 },
    // A bar leads where its figure in the table does.
    onClick: (_event, [hit], { data }) => {
      const link = hit && data.datasets[hit.datasetIndex].links[hit.index];
      if (link) location.assign(link);
    },
    onHover: (event, [hit], { data }) => {
      event.native.target.style.cursor = hit && data.datasets[hit.datasetIndex].links[hit.index] ? "pointer" : "";
    },
    scales: lying ? { x: figures, y: names } : { x: names, y: figures },
    plugins: {
      legend: { display: sets.length > 1, align: "start", labels: { color: text, boxWidth: 12, boxHeight: 12 } },
      tooltip: {
        backgroundColor: ink("--o-raised"),
        borderColor: ink("--o-line-control"),
        borderWidth: 1,
        titleColor: strong,
        bodyColor: text,
        callbacks: { label: ({ dataset, dataIndex }) => ` ${dataset.label}: ${dataset.words[dataIndex]}` },
      },
    },
  };
}

function draw(canvas, still) {
  const found = read(canvas);
  const box = canvas.parentElement;
  const [lying, stacked] = [canvas.dataset.shape !== "columns", canvas.dataset.shape === "stack"];
  const grouped = (COLUMN_PX * found.sets.length * found.labels.length) / box.clientWidth;
  const datasets = found.sets.map((set, index) => ({
    label: set.label,
    data: set.figures,
    words: set.words,
    links: set.links,
    backgroundColor: ink((stacked ? STACKED : INKS)[index]),
    borderRadius: stacked ? 0 : 3,
    maxBarThickness: lying ? 18 : COLUMN_PX,
    categoryPercentage: Math.min(0.8, lying ? 1 : grouped),
  }));
  new Chart(canvas, {
    type: "bar",
    data: { labels: found.labels, datasets },
    options: options(canvas, found, still),
  });
}

const dark = window.matchMedia("(prefers-color-scheme: dark)");
const calm = window.matchMedia("(prefers-reduced-motion: reduce)");

function drawAll(still) {
  Chart.defaults.font.family = getComputedStyle(document.body).fontFamily;
  for (const canvas of document.querySelectorAll("canvas[data-chart]")) {
    Chart.getChart(canvas)?.destroy();
    draw(canvas, still);
  }
}

dark.addEventListener("change", () => drawAll(true));
drawAll(calm.matches);
