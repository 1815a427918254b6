// One product, in a dialog: its figures, how its ratings spread, its reviews.

const REVIEWS_AT_ONCE = 50;

class ProductDialog {
  constructor(products) {
    this.products = products;
    this.dialog = $("#product");
    this.dialog.addEventListener("click", ({ target }) => target === this.dialog && this.dialog.close());
    $("#more").addEventListener("click", () => this.showMore());
  }

  async open(p) {
    const { products } = this;
    const [reviews, rated] = [products.reviews[p], products.rated[p]];
    $("#product-title").replaceChildren(text(products.title[p], "title"));
    $("#product-place").replaceChildren(...placeOf(products, p));
    $("#product-figures").replaceChildren(
      figure("Average rating", average(products.rating[p])),
      figure("Reviews", whole.format(reviews)),
      figure("Helpful votes", whole.format(products.votes[p])),
    );
    $("#product-spread").replaceChildren(
      ...[5, 4, 3, 2, 1].flatMap((star) => {
        const count = products.spread[p * 5 + star - 1];
        const bar = h("i", {});
        bar.style.width = `${rated ? (count / rated) * 100 : 0}%`;
        const track = h("span", { className: "track" }, bar);
        return [h("span", {}, `${star} ★`), track, h("span", { className: "number muted" }, whole.format(count))];
      }),
    );
    $("#product-reviews tbody").replaceChildren();
    this.rows = products.rowsOf(p);
    this.shown = 0;
    this.dialog.showModal();
    this.dialog.scrollTop = 0;
    this.ids ??= await column("review_id");
    this.showMore();
  }

  showMore() {
    const { rating, votes } = this.products.rows;
    const next = this.rows.slice(this.shown, this.shown + REVIEWS_AT_ONCE);
    $("#product-reviews tbody").append(
      ...next.map((row) => h("tr", {},
        h("td", {}, this.ids[row]),
        h("td", { className: "number" }, Number.isNaN(rating[row]) ? "–" : whole.format(rating[row])),
        h("td", { className: "number" }, whole.format(votes[row])),
      )),
    );
    this.shown += next.length;
    const left = this.rows.length - this.shown;
    $("#more").hidden = left === 0;
    $("#more").textContent = `Show ${whole.format(Math.min(left, REVIEWS_AT_ONCE))} more of ${whole.format(left)}`;
  }
}

const figure = (name, value) => h("div", {}, h("dt", {}, name), h("dd", {}, value));

const placeOf = (products, p) => [
  text(products.categories[products.category[p]], "category"),
  " · ",
  text(products.marketplaces[products.marketplace[p]], "marketplace"),
];
