/* What a reader can do with a page beyond reading it. All numbers are in the HTML: this sorts,
   hides and shows. What was chosen stands in the address, and is taken from there on load. */
"use strict";

const tools = document.getElementById("tools");
const state = new URLSearchParams(location.search);
const field = (id) => document.getElementById(id);
const all = (selector, within = document) => [...within.querySelectorAll(selector)];

function remember(name, value) {
  if (value) state.set(name, value);
  else state.delete(name);
  const query = state.toString();
  try {
    history.replaceState(null, "", location.pathname + (query && "?" + query) + location.hash);
  } catch {
    // Browsers may refuse more than some hundred changes in half a minute; the page goes on.
  }
}

/* Sorting: data-v is the number of a cell; what has none is text, or has no value and stays last. */
function sortRows(table, head, descending) {
  const column = head.cellIndex;
  const numeric = head.classList.contains("num");
  const keyed = rowsOf(table).map((row) => {
    const cell = row.cells[column];
    const text = numeric ? cell.dataset.v : textOf(cell);
    return { row, key: text === undefined || text === "" ? null : numeric ? Number(text) : text };
  });
  const order = new Intl.Collator("en", { numeric: true }).compare;
  keyed.sort((a, b) => {
    if (a.key === null || b.key === null) return (a.key === null) - (b.key === null);
    const found = numeric ? a.key - b.key : order(a.key, b.key);
    return descending ? -found : found;
  });
  arrange(table, keyed.map(({ row }) => row));
  for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
  head.setAttribute("aria-sort", descending ? "descending" : "ascending");
}

/* To lay out hundreds of rows takes a browser longer than a reader should wait. So the first that are
   to be seen are put in place at once, and the others frame by frame. */
const AT_ONCE = 30;
const orders = new WeakMap();
const frames = new WeakMap();

/* The rows in the order that they have, or are about to have. */
function rowsOf(table) {
  return orders.get(table) ?? [...table.tBodies[0].rows];
}

function arrange(table, order) {
  const body = table.tBodies[0];
  let [placed, last] = [0, null];
  const step = () => {
    for (let seen = 0; placed < order.length && seen < AT_ONCE; placed += 1) {
      const row = order[placed];
      const next = last ? last.nextElementSibling : body.firstElementChild;
      if (row !== next) body.insertBefore(row, next);
      row.classList.remove("later");
      if (!row.hidden) seen += 1;
      last = row;
    }
    if (placed < order.length) frames.set(table, requestAnimationFrame(step));
  };
  cancelAnimationFrame(frames.get(table));
  orders.set(table, order);
  step();
}

function textOf(cell) {
  return (cell.querySelector("a") ?? cell).textContent.trim().replace(/^–$/, "");
}

function startsDescending(head) {
  return head.classList.contains("num") && !["rank", "place"].includes(head.dataset.key);
}

function makeSortable(table) {
  for (const head of all("thead th[data-key]", table)) {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const sorted = head.getAttribute("aria-sort");
      const descending = sorted ? sorted === "ascending" : startsDescending(head);
      sortRows(table, head, descending);
      remember("sort", [table.id, head.dataset.key, descending ? "desc" : "asc"].join("."));
      count();
    });
  }
}

function restoreSort() {
  const [id, key, direction] = (state.get("sort") || "").split(".");
  const table = all("table.sort").find((found) => found.id === id);
  const head = table && all("thead th[data-key]", table).find((th) => th.dataset.key === key);
  if (head) sortRows(table, head, direction === "desc");
}

/* The board: one view and one tab of it at a time, and filters over all its rows. */
const FILTERS = { q: "find", status: "status", plain: "plain" };
const rows = [];

function choose(holder, name, parts, wanted) {
  const labels = new Map(parts.map((part) => [part.dataset[name], part.dataset.label]));
  const chosen = labels.has(wanted) ? wanted : labels.keys().next().value;
  for (const button of all("button", holder)) {
    button.setAttribute("aria-pressed", String(button.value === chosen));
  }
  for (const part of parts) part.hidden = part.dataset[name] !== chosen;
  return chosen;
}

function addButtons(holder, name, parts, then) {
  const labels = new Map(parts.map((part) => [part.dataset[name], part.dataset.label]));
  for (const [value, label] of labels) {
    const button = document.createElement("button");
    Object.assign(button, { type: "button", value, textContent: label });
    button.addEventListener("click", () => {
      remember(name, value);
      then();
    });
    holder.append(button);
  }
  holder.hidden = labels.size < 2;
}

function show() {
  choose(field("views"), "view", all("[data-view]"), state.get("view"));
  choose(field("tabs"), "tab", all("[data-tab]"), state.get("tab"));
  filter();
  showPicks();
}

/* Picks: methods of the shown convention to set side by side. */
const MOST_PICKS = 5;

function picksOf(view) {
  return all(`[data-view="${view}"] .pick:checked`).map((box) => box.value);
}

function addPicks() {
  const wanted = new Set((state.get("pick") || "").split(","));
  for (const part of all("[data-view]")) {
    for (const name of all('[data-tab="averages"] tbody th', part)) {
      const link = name.querySelector("a");
      const box = document.createElement("input");
      const value = link.getAttribute("href").replace(/^methods\/|\.html$/g, "");
      Object.assign(box, { type: "checkbox", className: "pick", value, checked: wanted.has(value) });
      box.setAttribute("aria-label", `Pick ${link.textContent} to compare`);
      box.addEventListener("change", () => {
        remember("pick", picksOf(part.dataset.view).join(","));
        showPicks();
      });
      link.before(box, " ");
    }
  }
}

function showPicks() {
  const view = all("[data-view]").find((part) => !part.hidden).dataset.view;
  const picked = picksOf(view);
  for (const box of all(`[data-view="${view}"] .pick`)) {
    box.disabled = picked.length >= MOST_PICKS && !box.checked;
  }
  const link = field("compare-picked");
  link.href = `compare.html?view=${view}&methods=${picked.join(",")}`;
  link.textContent = picked.length ? `Compare ${picked.length} picked` : "Compare";
}

/* Of the tables in sight; the others are filtered when they come to be. */
function filter() {
  const words = field("find").value.toLowerCase().split(/\s+/).filter(Boolean);
  const status = field("status").value;
  const plain = field("plain").checked;
  const tables = all("[data-view] table").filter((table) => table.offsetParent);
  for (const { row, said } of rows.filter(({ table }) => tables.includes(table))) {
    const out =
      !words.every((word) => said.text.includes(word)) ||
      (status !== "" && row.dataset.status !== status) ||
      (plain && row.dataset.plain === undefined);
    if (row.hidden && !out) row.classList.add("later");
    row.hidden = out;
  }
  for (const table of tables) arrange(table, rowsOf(table));
  count();
}

function count() {
  if (!tools) return;
  const table = all("[data-tab] table").find((found) => found.offsetParent);
  const within = table ? rowsOf(table) : [];
  const left = within.filter((row) => !row.hidden).length;
  const active = [field("find").value.trim(), field("status").value, field("plain").checked];
  const chosen = active.filter(Boolean).length + (state.has("sort") ? 1 : 0);
  field("clear").disabled = chosen === 0;
  field("clear").textContent = chosen ? `Clear all (${chosen})` : "Clear all";
  const methods = `${within.length} method${within.length === 1 ? "" : "s"}`;
  field("said").textContent =
    within.length && !left
      ? "No method fits these filters. Clear all shows every method again."
      : `${left} of ${methods} shown.`;
}

function clearAll() {
  field("find").value = field("status").value = "";
  field("plain").checked = false;
  for (const name of [...Object.keys(FILTERS), "sort"]) remember(name, "");
  for (const table of all("[data-view] table")) {
    orders.set(table, rows.filter((one) => one.table === table).map(({ row }) => row)); // the file's
  }
  for (const head of all("[aria-sort]")) head.removeAttribute("aria-sort");
  filter();
}

function startBoard() {
  const methods = new Map(); // what any tab says of one: a year stands in one of them alone
  for (const row of all("[data-view] tbody tr")) {
    const method = `${row.closest("[data-view]").dataset.view} ${row.querySelector("th a").href}`;
    const said = methods.get(method) ?? { text: "" };
    methods.set(method, said);
    const cells = all("th, td:not(.num)", row).filter((cell) => !cell.querySelector("svg"));
    const year = all("td.num", row).map((cell) => cell.dataset.v).filter((v) => /^\d{4}$/.test(v));
    said.text += [...cells.map((cell) => cell.textContent), ...year].join(" ").toLowerCase() + " ";
    rows.push({ row, said, table: row.closest("table") });
  }
  addButtons(field("views"), "view", all("[data-view]"), show);
  addButtons(field("tabs"), "tab", all("[data-tab]"), show);
  addPicks();
  field("find").value = state.get("q") || "";
  field("status").value = state.get("status") || "";
  if (field("status").selectedIndex < 0) field("status").value = "";
  field("plain").checked = state.has("plain");
  for (const [name, id] of Object.entries(FILTERS)) {
    const control = field(id);
    control.addEventListener("input", () => {
      remember(name, control.type === "checkbox" ? (control.checked ? "1" : "") : control.value);
      filter();
    });
  }
  field("clear").addEventListener("click", clearAll);
  tools.hidden = false;
  show();
}

/* Files of a table as it is shown: its visible rows in their order, numbers as the page holds them.
   A cell's data-v is its number; what else its data says stands in columns beside it. */
const FORMULA = /^[=+\-@]/;
const LATEX = {
  "\\": "\\textbackslash{}", "{": "\\textbraceleft{}", "}": "\\textbraceright{}", "~": "\\textasciitilde{}",
  "^": "\\textasciicircum{}", "→": "$\\rightarrow$", "−": "--", "–": "--",
};

function shownTable(table) {
  const shown = rowsOf(table).filter((row) => !row.hidden);
  const columns = [];
  if (shown.some((row) => row.dataset.status)) {
    columns.push(["status", (row) => row.dataset.status]);
  }
  for (const head of all("thead th[data-key]", table)) {
    const { key } = head.dataset;
    const cell = (row) => row.cells[head.cellIndex];
    const numeric = head.classList.contains("num");
    const value = (text) => (text === undefined || text === "" ? null : Number.isNaN(Number(text)) ? text : Number(text));
    columns.push([key, (row) => (numeric ? value(cell(row).dataset.v) : textOf(cell(row)) || null)]);
    const more = new Set(shown.flatMap((row) => Object.keys(cell(row).dataset)));
    more.delete("v");
    for (const name of more) columns.push([`${key}_${name}`, (row) => value(cell(row).dataset[name])]);
  }
  return {
    title: document.title,
    header: columns.map(([name]) => name),
    rows: shown.map((row) => columns.map(([, of]) => of(row))),
  };
}

function toCsv({ header, rows }) {
  const write = (cell) => {
    if (cell === null || typeof cell === "number") return String(cell ?? "");
    const text = FORMULA.test(cell) ? `'${cell}` : cell;
    return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  return [header, ...rows].map((row) => row.map(write).join(",") + "\n").join("");
}

function toJson({ title, header, rows }) {
  const objects = rows.map((row) => Object.fromEntries(row.map((cell, i) => [header[i], cell])));
  return JSON.stringify({ title, rows: objects }, null, 1) + "\n";
}

function toLatex({ title, header, rows }) {
  const escape = (text) =>
    [...text.replace(/\s+/g, " ")].map((sign) => LATEX[sign] ?? ("&%$#_".includes(sign) ? `\\${sign}` : sign)).join("");
  const write = (cell) => {
    if (cell === null) return "--";
    if (typeof cell !== "number") return escape(cell);
    return Number.isInteger(cell) ? String(cell) : cell.toFixed(3).replace(/^(-?)0\./, "$1.");
  };
  const texts = header.map((_, i) => rows.every((row) => typeof row[i] !== "number"));
  return [
    `% ${title.replace(/\s+/g, " ")}; needs \\usepackage{booktabs}`,
    `\\begin{tabular}{${texts.map((text) => (text ? "l" : "r")).join("")}}`,
    "\\toprule",
    `${header.map(escape).join(" & ")} \\\\`,
    "\\midrule",
    ...rows.map((row) => `${row.map(write).join(" & ")} \\\\`),
    "\\bottomrule",
    "\\end{tabular}\n",
  ].join("\n");
}

const FORMATS = { CSV: ["csv", toCsv], JSON: ["json", toJson], LaTeX: ["tex", toLatex] };

function addExports(table) {
  const box = table.closest(".wide");
  let files = box.previousElementSibling;
  if (!files?.classList.contains("files")) {
    files = document.createElement("p");
    files.className = "files";
    box.before(files);
  }
  files.append(files.textContent.trim() ? "— as shown:" : "As shown:");
  for (const [label, [end, write]] of Object.entries(FORMATS)) {
    const button = document.createElement("button");
    Object.assign(button, { type: "button", textContent: label });
    button.setAttribute("aria-label", `${label} of the rows as shown`);
    button.addEventListener("click", () => {
      const link = document.createElement("a");
      link.href = URL.createObjectURL(new Blob([write(shownTable(table))]));
      link.download = `${table.id}.${end}`;
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 1000);
    });
    files.append(" ", button);
  }
}

/* Copying. Pages opened from a disk have no clipboard but the old one. */
async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const area = document.createElement("textarea");
    area.value = text;
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }
}

function copyOn(button, text) {
  button.hidden = false;
  const label = button.textContent;
  button.addEventListener("click", async () => {
    await copy(text());
    button.textContent = "Copied";
    setTimeout(() => (button.textContent = label), 1500);
  });
}

/* Theme: the reader's own, kept in this browser. */
function startTheme() {
  const button = field("theme");
  const known = ["auto", "light", "dark"];
  const apply = (theme) => {
    document.documentElement.dataset.theme = theme;
    button.textContent = `Theme: ${theme}`;
  };
  let theme = "auto";
  try {
    theme = localStorage.getItem("theme") || "auto";
  } catch {
    // Storage may be switched off; the choice then lasts for this page.
  }
  apply(known.includes(theme) ? theme : "auto");
  button.addEventListener("click", () => {
    const next = known[(known.indexOf(document.documentElement.dataset.theme) + 1) % 3];
    apply(next);
    try {
      localStorage.setItem("theme", next);
    } catch {
      // As above.
    }
  });
  button.hidden = false;
}

startTheme();
for (const table of all("table.sort")) {
  makeSortable(table);
  addExports(table);
}
if (tools) {
  startBoard();
  copyOn(field("copy"), () => location.href);
}
restoreSort();
if (tools) count();
for (const button of all("[data-copy]")) {
  copyOn(button, () => field(button.dataset.copy).textContent);
}
