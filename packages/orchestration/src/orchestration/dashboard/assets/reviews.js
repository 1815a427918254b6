// The numbers behind the page: columns in, aggregates out. Nothing here touches what is shown.

const TYPES = { u32: Uint32Array, f64: Float64Array };

/** A column the page carries: base64 of gzip of JSON, or of little-endian numbers. */
async function column(name) {
  const { textContent, dataset } = document.querySelector(`script[data-column="${name}"]`);
  const packed = Uint8Array.fromBase64?.(textContent) ?? Uint8Array.from(atob(textContent), (c) => c.charCodeAt(0));
  const plain = new Response(new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip")));
  return dataset.type === "json" ? plain.json() : new TYPES[dataset.type](await plain.arrayBuffer());
}

async function columns(...names) {
  return Object.fromEntries(await Promise.all(names.map(async (name) => [name, await column(name)])));
}

/** What the rows come to, by product: COUNT(*), COUNT and SUM of the rating, SUM of the votes, and the ratings' spread. */
class Products {
  constructor({ title, marketplace, category, marketplaces, categories, product, rating, votes }) {
    Object.assign(this, { title, marketplace, category, marketplaces, categories });
    const size = title.length;
    this.size = size;
    this.rows = { product, rating, votes };
    this.reviews = new Uint32Array(size);
    this.rated = new Uint32Array(size);
    this.stars = new Float64Array(size);
    this.votes = new Float64Array(size);
    this.spread = new Uint32Array(size * 5);
    for (let row = 0; row < product.length; row++) {
      const p = product[row];
      this.reviews[p]++;
      this.votes[p] += votes[row];
      if (rating[row] === rating[row]) {
        this.rated[p]++;
        this.stars[p] += rating[row];
        this.spread[p * 5 + Math.round(rating[row]) - 1]++;
      }
    }
    this.rating = this.stars.map((sum, p) => sum / this.rated[p]); // NaN where nothing is rated
    this.orders = new Map();
    this.found = { query: "", hits: null };
  }

  /** All products by one key, best known first among equals. Sorted once, however often the filters change. */
  order(key, descending) {
    const name = `${key} ${descending}`;
    if (!this.orders.has(name)) {
      const values = key === "title" ? this.ranks(this.title)
        : key === "marketplace" ? by(this.marketplace, this.ranks(this.marketplaces))
        : key === "category" ? by(this.category, this.ranks(this.categories))
        : this[key];
      const sign = descending ? -1 : 1;
      const { votes, reviews } = this;
      const sorted = Uint32Array.from(this.title, (_, p) => p).sort((a, b) =>
        compare(values[a], values[b], sign) || votes[b] - votes[a] || reviews[b] - reviews[a] || a - b);
      this.orders.set(name, sorted);
    }
    return this.orders.get(name);
  }

  /** The place of each name in the alphabet; equal names share one. */
  ranks(names) {
    const collator = new Intl.Collator("en", { numeric: true });
    const distinct = [...new Set(names)].sort(collator.compare);
    const places = new Map(distinct.map((name, place) => [name, place]));
    return names.map((name) => places.get(name));
  }

  /** 1 for each product whose title holds every word of the query; null for all. */
  search(query) {
    const words = plain(query).split(" ").filter(Boolean);
    if (!words.length) return null;
    if (this.found.query !== words.join(" ")) {
      this.plainTitles ??= this.title.map(plain);
      const hits = Uint8Array.from(this.plainTitles, (title) => words.every((word) => title.includes(word)));
      this.found = { query: words.join(" "), hits };
    }
    return this.found.hits;
  }

  /**
   * What the filters leave: `matches` by product, totals, the same by category, and for each filter's own choices the
   * reviews they would bring, given the other filters. `marketplaces` and `categories` are sets of places; empty is all.
   */
  select({ marketplaces, categories, query }) {
    const hits = this.search(query);
    const found = {
      matches: new Uint8Array(this.size),
      ...empty(),
      byCategory: this.categories.map(empty),
      choices: { marketplaces: this.marketplaces.map(() => 0), categories: this.categories.map(() => 0) },
    };
    const wanted = (chosen, place) => !chosen.size || chosen.has(place);
    for (let p = 0; p < this.size; p++) {
      if (hits && !hits[p]) continue;
      const [m, c] = [this.marketplace[p], this.category[p]];
      const [inMarketplaces, inCategories] = [wanted(marketplaces, m), wanted(categories, c)];
      if (inCategories) found.choices.marketplaces[m] += this.reviews[p];
      if (inMarketplaces) found.choices.categories[c] += this.reviews[p];
      if (inMarketplaces && inCategories) {
        found.matches[p] = 1;
        this.add(found, p);
        this.add(found.byCategory[c], p);
      }
    }
    return found;
  }

  add(totals, p) {
    totals.products++;
    totals.reviews += this.reviews[p];
    totals.rated += this.rated[p];
    totals.stars += this.stars[p];
    totals.votes += this.votes[p];
    for (let star = 0; star < 5; star++) totals.spread[star] += this.spread[p * 5 + star];
  }

  /** The first `count` matching products of an order, from the `skip`-th on, that have `least` ratings. */
  page(order, matches, { skip = 0, count, least = 0 }) {
    const page = [];
    for (let place = 0; place < order.length && page.length < count; place++) {
      const p = order[place];
      if (matches[p] && this.rated[p] >= least && skip-- <= 0) page.push(p);
    }
    return page;
  }

  /** The rows of one product, most helpful first. */
  rowsOf(p) {
    const { product, votes } = this.rows;
    const found = [];
    for (let row = 0; row < product.length; row++) if (product[row] === p) found.push(row);
    return found.sort((a, b) => votes[b] - votes[a] || a - b);
  }

  /**
   * How many ratings a product should have before its average says something: as many as leave a hundred products of
   * all, or a quarter where there are fewer than four hundred, but no more than leave ten among those that match.
   */
  usualLeast(matches) {
    const enough = Math.max(10, Math.min(100, this.size / 4));
    return this.steps.findLast((step) => {
      let [all, matching] = [0, 0];
      for (let p = 0; p < this.size; p++) {
        if (this.rated[p] >= step) {
          all++;
          matching += matches[p];
        }
      }
      return all >= enough && matching >= 10;
    }) ?? 1;
  }

  /** The thresholds to choose from: those that some product reaches. */
  get steps() {
    const most = this.rated.reduce((a, b) => Math.max(a, b), 1);
    return [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000].filter((step) => step <= most);
  }
}

const empty = () => ({ products: 0, reviews: 0, rated: 0, stars: 0, votes: 0, spread: [0, 0, 0, 0, 0] });

const by = (places, values) => Array.from(places, (place) => values[place]);

/** What is not a number comes last, whichever way the rest is sorted. */
function compare(a, b, sign) {
  if (a === b) return 0;
  if (a !== a) return b !== b ? 0 : 1;
  if (b !== b) return -1;
  return a < b ? -sign : sign;
}

/** Lower case, no accents, single spaces: as titles and queries are compared. */
function plain(text) {
  return text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase().replace(/\s+/g, " ");
}
