// Search and menus: they act on every panel.

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
