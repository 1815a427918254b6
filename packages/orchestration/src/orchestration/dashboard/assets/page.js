// The page: its state, what is shown for it, and what changes it.

const COLUMNS = [
  { key: "title", name: "Product" },
  { key: "category", name: "Category", wide: true },
  { key: "marketplace", name: "Market", wide: true },
  { key: "reviews", name: "Reviews", number: true },
  { key: "rating", name: "Rating", number: true },
  { name: "1–5 ★", wide: true },
  { key: "votes", name: "Votes", number: true },
];
const FROM_A_TO_Z = new Set(["title", "category", "marketplace"]);
const LEADERS = 10;

const run = await column("run");
const products = new Products(
  await columns("title", "marketplace", "category", "marketplaces", "categories", "product", "rating", "votes"),
);
const total = products.select({ marketplaces: new Set(), categories: new Set(), query: "" });
const usual = { sort: "votes", up: false, least: null };
/** `marketplaces` and `categories` are places, none for all; `least` is null for as many as is usual. */
const state = { query: "", marketplaces: new Set(), categories: new Set(), ...usual, page: 0, pageSize: 25 };
let found = total;

// --- the view is in the address too, so that it can be kept and sent --------------------------------------------------

const IN_ADDRESS = [["marketplaces", "marketplace"], ["categories", "category"]];

function readAddress() {
  const given = new URLSearchParams(location.hash.slice(1));
  state.query = given.get("search") ?? "";
  for (const [kind, name] of IN_ADDRESS) {
    state[kind] = new Set(given.getAll(name).map((value) => products[kind].indexOf(value)).filter((place) => place >= 0));
  }
  const [sort, direction] = given.get("sort")?.split(" ") ?? [];
  const known = COLUMNS.some(({ key }) => key && key === sort);
  Object.assign(state, { sort: known ? sort : usual.sort, up: known && direction === "up", page: 0 });
  state.least = products.steps.find((step) => step === Number(given.get("least"))) ?? usual.least;
}

let pending = 0;
function writeAddress() {
  clearTimeout(pending); // a browser refuses to do it at every key stroke
  pending = setTimeout(() => {
    const told = new URLSearchParams();
    if (state.query) told.set("search", state.query);
    for (const [kind, name] of IN_ADDRESS) for (const place of state[kind]) told.append(name, products[kind][place]);
    if (state.sort !== usual.sort || state.up !== usual.up) told.set("sort", `${state.sort} ${state.up ? "up" : "down"}`);
    if (state.least !== null) told.set("least", state.least);
    history.replaceState(null, "", `#${told}`);
  }, 250);
}

// --- the filters ------------------------------------------------------------------------------------------------------

class Menu {
  constructor(kind, what) {
    this.kind = kind;
    this.details = $(`#${kind}`);
    this.choices = products[kind].map((name, place) => {
      const box = h("input", { type: "checkbox" });
      box.addEventListener("change", () => toggle(kind, place));
      const count = h("span", { className: "number muted" });
      return { name: name || `no ${what}`, box, count, label: h("label", {}, box, text(name, what), count) };
    });
    const sorted = this.choices.toSorted((a, b) => a.name.localeCompare(b.name, "en", { numeric: true }));
    this.details.querySelector("fieldset").append(...sorted.map(({ label }) => label));
  }

  show() {
    const chosen = state[this.kind];
    const [first] = chosen;
    const told = chosen.size > 1 ? whole.format(chosen.size) : chosen.size ? this.choices[first].name : "All";
    this.details.classList.toggle("active", chosen.size > 0);
    this.details.querySelector("b").textContent = told;
    this.choices.forEach(({ box, count }, place) => {
      box.checked = chosen.has(place);
      count.textContent = whole.format(found.choices[this.kind][place]);
    });
  }
}

const menus = [new Menu("marketplaces", "marketplace"), new Menu("categories", "category")];

function toggle(kind, place) {
  if (!state[kind].delete(place)) state[kind].add(place);
  filtersChanged();
}

function filtersChanged() {
  state.page = 0;
  found = products.select(state);
  showFilters();
  if (found.products) {
    showFigures();
    showCharts();
    showLeaders();
    showAll();
  }
  writeAddress();
}

function showFilters() {
  menus.forEach((menu) => menu.show());
  if ($("#query").value !== state.query) $("#query").value = state.query;
  $("#clear").hidden = !(state.query || state.marketplaces.size || state.categories.size);
  $("#found").textContent = $("#clear").hidden ? "" : counted(found.products, "product");
  $("#panels").hidden = !found.products;
  $("#nothing").hidden = found.products > 0;
  $("#nothing").textContent = total.products
    ? "No product is left by these filters."
    : "The report holds no reviews: nothing passed its filters, or the day brought none.";
}

// --- the panels -------------------------------------------------------------------------------------------------------

const mean = ({ stars, rated }) => stars / rated;

function showFigures() {
  const all = found.products === total.products;
  const figures = {
    reviews: [whole.format(found.reviews), `${tenths.format(found.reviews / found.products)} a product`],
    products: [whole.format(found.products), spanned()],
    rating: [average(mean(found)), `${share(found.spread[4], found.rated)} give five stars`],
    votes: [whole.format(found.votes), `${tenths.format(found.votes / found.reviews)} a review`],
  };
  for (const [name, [value, note]] of Object.entries(figures)) {
    $(`#${name}`).textContent = value;
    $(`#${name}-note`).textContent =
      all ? note
      : name === "rating" ? `${average(mean(total))} overall`
      : `${share(found[name], total[name])} of ${whole.format(total[name])}`;
  }
}

const spanned = () =>
  `${counted(products.categories.length, "category", "categories")}, ${counted(products.marketplaces.length, "marketplace")}`;

const ratingChart = new Bars($("#rating-chart"));
const categoryChart = new Bars($("#category-chart"), {
  sideways: true,
  onPick: (bar) => toggle("categories", categoryChart.bars[bar].place),
});

const MEASURES = {
  reviews: { value: ({ reviews }) => reviews, words: ({ reviews }) => whole.format(reviews) },
  rating: { value: (one) => mean(one) || 0, words: (one) => average(mean(one)) },
  votes: { value: ({ votes }) => votes, words: ({ votes }) => short.format(votes) },
};

function showCharts() {
  const unrated = found.reviews - found.rated;
  ratingChart.show(
    found.spread.map((count, place) => ({
      name: `${place + 1} ★`,
      value: count,
      words: share(count, found.rated),
      details: counted(count, "review"),
    })),
    "Reviews by rating",
  );
  $("#unrated").textContent = unrated ? `and ${whole.format(unrated)} without a rating` : "";
  const { value, words } = MEASURES[$("#measure").value];
  const bars = found.byCategory
    .map((one, place) => ({
      place,
      name: products.categories[place] || "no category",
      value: value(one),
      words: words(one),
      details: [
        counted(one.reviews, "review"),
        counted(one.products, "product"),
        `${average(mean(one))} average rating`,
        counted(one.votes, "helpful vote"),
      ],
      shown: one.products > 0,
    }))
    .filter(({ shown }) => shown)
    .sort((a, b) => b.value - a.value || a.name.localeCompare(b.name, "en"));
  categoryChart.show(bars, `${$("#measure").selectedOptions[0].text} by category`);
}

const titleButton = (p) => h("button", { type: "button", className: "title", "data-product": p }, text(products.title[p], "title"));
const number = (...content) => h("td", { className: "number" }, ...content);

function ranking(table, columns, chosen, nothing) {
  const head = h("tr", {}, h("th", { scope: "col", className: "number" }, "#"), h("th", { scope: "col" }, "Product"));
  head.append(...columns.map(({ name }) => h("th", { scope: "col", className: "number" }, name)));
  const rows = chosen.map((p, place) =>
    h("tr", {},
      number(whole.format(place + 1)),
      h("td", {}, titleButton(p), h("small", {}, ...placeOf(products, p))),
      ...columns.map(({ cell, strong }) => number(strong ? h("strong", {}, cell(p)) : cell(p)))));
  if (!rows.length) rows.push(h("tr", {}, h("td", { colSpan: columns.length + 2, className: "nothing" }, nothing)));
  table.replaceChildren(h("thead", {}, head), h("tbody", {}, ...rows));
}

const CELLS = {
  reviews: { name: "Reviews", cell: (p) => whole.format(products.reviews[p]) },
  rating: { name: "Rating", cell: (p) => average(products.rating[p]) },
  votes: { name: "Votes", cell: (p) => whole.format(products.votes[p]) },
};

function showLeaders() {
  const usually = products.usualLeast(found.matches);
  const least = state.least ?? usually;
  const rated = products.page(products.order("rating", true), found.matches, { count: LEADERS, least });
  const helpful = products.page(products.order("votes", true), found.matches, { count: LEADERS });
  $("#least").options[0].text = `${whole.format(usually)} (auto)`;
  $("#least").value = state.least ?? "";
  ranking($("#by-average"), [CELLS.reviews, { ...CELLS.rating, strong: true }], rated,
    `No product here has ${counted(least, "review")} or more.`);
  ranking($("#by-votes"), [CELLS.reviews, CELLS.rating, { ...CELLS.votes, strong: true }], helpful, "");
}

/** How a product's ratings spread, small enough for a cell. */
function spark(p) {
  const counts = products.spread.subarray(p * 5, p * 5 + 5);
  const most = Math.max(...counts, 1);
  const told = Array.from(counts, (count, place) => `${place + 1} ★ ${whole.format(count)}`).join(", ");
  const bars = Array.from(counts, (count) => {
    const bar = h("i", {});
    bar.style.height = `${count ? Math.max(8, (count / most) * 100) : 0}%`;
    return bar;
  });
  return h("span", { className: "spark", role: "img", title: told, "aria-label": told }, ...bars);
}

function showAll() {
  const last = Math.max(0, Math.ceil(found.products / state.pageSize) - 1);
  state.page = Math.min(state.page, last);
  const skip = state.page * state.pageSize;
  const order = products.order(state.sort, !state.up);
  const chosen = products.page(order, found.matches, { skip, count: state.pageSize });
  $("#all tbody").replaceChildren(...chosen.map((p) =>
    h("tr", {},
      h("td", {}, titleButton(p), h("small", {}, ...placeOf(products, p))),
      h("td", { className: "wide" }, text(products.categories[products.category[p]], "category")),
      h("td", { className: "wide" }, text(products.marketplaces[products.marketplace[p]], "marketplace")),
      number(CELLS.reviews.cell(p)),
      number(CELLS.rating.cell(p)),
      h("td", { className: "wide" }, spark(p)),
      number(CELLS.votes.cell(p)))));
  for (const header of $("#all thead").querySelectorAll("th[data-sort]")) {
    const sorted = header.dataset.sort === state.sort;
    header.setAttribute("aria-sort", sorted ? (state.up ? "ascending" : "descending") : "none");
  }
  $("#range").textContent =
    `${whole.format(skip + 1)}–${whole.format(skip + chosen.length)} of ${counted(found.products, "product")}`;
  for (const button of document.querySelectorAll("[data-page]")) {
    button.disabled = button.dataset.page === "first" || button.dataset.page === "previous" ? state.page === 0 : state.page === last;
  }
}

// --- what changes it --------------------------------------------------------------------------------------------------

function buildTable() {
  $("#all thead").append(h("tr", {}, ...COLUMNS.map(({ key, name, number: isNumber, wide }) => {
    const header = h("th", { scope: "col", className: `${isNumber ? "number" : ""} ${wide ? "wide" : ""}`.trim() });
    if (!key) return header.append(name), header;
    header.dataset.sort = key;
    header.append(h("button", { type: "button" }, name));
    return header;
  })));
  $("#all thead").addEventListener("click", ({ target }) => {
    const key = target.closest("th[data-sort]")?.dataset.sort;
    if (!key || !target.closest("button")) return;
    const up = state.sort === key ? !state.up : FROM_A_TO_Z.has(key);
    Object.assign(state, { sort: key, up, page: 0 });
    showAll();
    writeAddress();
  });
  $(".pages").addEventListener("click", ({ target }) => {
    const last = Math.ceil(found.products / state.pageSize) - 1;
    const page = { first: 0, previous: state.page - 1, next: state.page + 1, last }[target.dataset.page];
    if (page === undefined) return;
    state.page = page;
    showAll();
  });
  $("#page-size").addEventListener("change", ({ target }) => {
    Object.assign(state, { pageSize: Number(target.value), page: 0 });
    showAll();
  });
}

function buildFilters() {
  $("#query").addEventListener("input", ({ target }) => {
    state.query = target.value;
    filtersChanged();
  });
  $("#filters").addEventListener("submit", (event) => event.preventDefault());
  $("#filters").addEventListener("reset", (event) => {
    event.preventDefault();
    Object.assign(state, { query: "", marketplaces: new Set(), categories: new Set() });
    filtersChanged();
    $("#query").focus();
  });
  document.addEventListener("click", ({ target }) => closeMenus(target.closest?.("details.menu")));
  document.addEventListener("keydown", ({ key, target }) => {
    if (key !== "Escape") return;
    const open = target.closest?.("details.menu[open]");
    closeMenus();
    open?.querySelector("summary").focus();
  });
  $("#least").append(h("option", { value: "" }));
  $("#least").append(...products.steps.map((step) => h("option", { value: step }, whole.format(step))));
  $("#least").addEventListener("change", ({ target }) => {
    state.least = Number(target.value) || null;
    showLeaders();
    writeAddress();
  });
  $("#measure").addEventListener("change", showCharts);
  addEventListener("hashchange", () => {
    readAddress();
    filtersChanged();
  });
}

function closeMenus(except) {
  for (const open of document.querySelectorAll("details.menu[open]")) if (open !== except) open.open = false;
}

function buildTheme() {
  const key = "elt-theme"; // pages opened from files share one storage
  const system = matchMedia("(prefers-color-scheme: dark)");
  const kept = () => { try { return localStorage.getItem(key); } catch { return null; } };
  const keep = (theme) => { try { localStorage.setItem(key, theme); } catch { /* the choice lasts for the visit */ } };
  const apply = (chosen) => {
    const theme = ["light", "dark"].includes(chosen) ? chosen : system.matches ? "dark" : "light";
    document.documentElement.style.colorScheme = theme;
    $("#theme").setAttribute("aria-pressed", String(theme === "dark"));
    if (ratingChart.bars) [ratingChart, categoryChart].forEach((chart) => chart.paint());
  };
  $("#theme").addEventListener("click", ({ target }) => {
    const theme = target.getAttribute("aria-pressed") === "true" ? "light" : "dark";
    keep(theme);
    apply(theme);
  });
  system.addEventListener("change", () => apply(kept()));
  apply(kept());
}

function showRun() {
  const written = h("time", { dateTime: run.written }, `${moment.format(new Date(run.written))} UTC`);
  const counts = [["read", run.rows_read], ["loaded", run.rows_loaded], ["reported", run.rows_reported]];
  const told = counts.map(([what, rows]) => `${whole.format(rows)} ${what}`).join(", ");
  $("#run").replaceChildren("Report of ", written, ` · reviews since ${run.since_year}: ${told}`);
  $("#origin").textContent = `Run ${run.run_id} on ${run.environment}, from ${run.manifest}`;
}

const dialog = new ProductDialog(products);
$("main").addEventListener("click", ({ target }) => {
  const button = target.closest("[data-product]");
  if (button) dialog.open(Number(button.dataset.product));
});

Chart.defaults.font.family = getComputedStyle(document.body).fontFamily;
showRun();
buildTable();
buildFilters();
$("#waiting").remove();
$("main").hidden = false;
buildTheme();
readAddress();
filtersChanged();
performance.mark("shown");
