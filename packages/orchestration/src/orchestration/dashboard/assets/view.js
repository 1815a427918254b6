// What is looked at: the data, the filters chosen, and the address that keeps them.

const run = await column("run");
const products = new Products(
  await columns("title", "marketplace", "category", "marketplaces", "categories", "product", "rating", "votes"),
);
const total = products.select({ marketplaces: new Set(), categories: new Set(), query: "" });
const usual = { sort: "votes", up: false, least: null };
/** `marketplaces` and `categories` are places, none for all; `least` is null for as many as is usual. */
const state = { query: "", marketplaces: new Set(), categories: new Set(), ...usual, page: 0, pageSize: 25 };
let found = total;

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
