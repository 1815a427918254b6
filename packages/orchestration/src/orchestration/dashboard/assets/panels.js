// The figures, charts and rankings for what the filters leave.

const LEADERS = 10;

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
