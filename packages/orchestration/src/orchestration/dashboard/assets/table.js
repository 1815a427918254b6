// The table of all products: sorted by any column, some at a time.

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
