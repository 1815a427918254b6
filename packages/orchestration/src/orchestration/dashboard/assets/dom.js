// Elements, and how numbers read. Titles, names and ids are data: they become text nodes, never markup.

const $ = (selector) => document.querySelector(selector);

/** An element: what it has as a property is set so, the rest as attributes; children are nodes or text. */
function h(tag, properties, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties ?? {})) {
    if (name in element) element[name] = value;
    else element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

/** A title or a name, on its own as to the direction of writing; `what` is told where there is none. */
const text = (name, what) => (name.trim() ? h("bdi", {}, name) : h("i", {}, `no ${what}`));

const whole = new Intl.NumberFormat("en");
const short = new Intl.NumberFormat("en", { notation: "compact" });
const decimal = new Intl.NumberFormat("en", { minimumFractionDigits: 2, maximumFractionDigits: 2 });
const tenths = new Intl.NumberFormat("en", { minimumFractionDigits: 1, maximumFractionDigits: 1 });
const percent = new Intl.NumberFormat("en", { style: "percent", minimumFractionDigits: 1, maximumFractionDigits: 1 });
const moment = new Intl.DateTimeFormat("en-GB", { dateStyle: "long", timeStyle: "short", timeZone: "UTC" });

const average = (value) => (Number.isNaN(value) ? "–" : decimal.format(value));
const counted = (count, one, many = `${one}s`) => `${whole.format(count)} ${count === 1 ? one : many}`;
const share = (part, all) => (part > 0 && part / all < 0.0005 ? "<0.1%" : percent.format(all ? part / all : 0));

/** Colours come from the style sheet, as the scheme in use has them. */
function colour(name) {
  const probe = document.body.appendChild(h("i", {}));
  probe.style.color = `var(--${name})`;
  const found = getComputedStyle(probe).color;
  probe.remove();
  return found;
}
