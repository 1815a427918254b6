// Light or dark, what is told of the run, and the beginning.

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
  addEventListener("beforeprint", () => apply("light"));
  addEventListener("afterprint", () => apply(kept()));
  apply(kept());
}

function showRun() {
  const written = h("time", { dateTime: run.written }, `${moment.format(new Date(run.written))} UTC`);
  const counts = [["read", run.rows_read], ["loaded", run.rows_loaded], ["reported", run.rows_reported]];
  const told = counts.map(([what, rows]) => `${whole.format(rows)} ${what}`).join(", ");
  $("#run").replaceChildren(`${run.environment} · report of `, written, ` · reviews since ${run.since_year}: ${told}`);
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
