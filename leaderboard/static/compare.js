/* Comparing methods. Every number comes from the chosen method's document: nothing is worked out
   here but how often a verdict was reached. */
"use strict";

const SIGNS = { "a better": "+", "b better": "−", "not separable": "=" };
const form = field("compare");
const documents = new Map();
const titles = new Map(all("#measures li").map((item) => [item.dataset.measure, item.textContent]));
const isTask = (measure) => field("measures").querySelector(`[data-measure="${measure}"].task`);
let view = "";
let waiting = 0;

/* Called by the scripts in compare/. */
function receive(found) {
  documents.set(found.slug, found.views);
}

function load(slug) {
  if (documents.has(slug)) return Promise.resolve(documents.get(slug));
  return new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = `compare/${slug}.js`;
    script.addEventListener("load", () => resolve(documents.get(slug)));
    script.addEventListener("error", () => reject(new Error(script.src)));
    document.head.append(script);
  });
}

const digits = (value) => value.toFixed(3).replace(/^(-?)0\./, "$1.").replace("-", "−");
const signed = (value) => (value > 0 ? "+" : "") + digits(value);
const probability = (p) => (p < 0.001 ? "p < .001" : `p = ${p < 1 ? digits(p) : 1}`);

function make(tag, text, attributes = {}) {
  const made = document.createElement(tag);
  made.textContent = text;
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
}

/* An interval on a line with nought in its middle; `far` is the end of the line. */
function drawBar(said, far) {
  const space = "http://www.w3.org/2000/svg";
  const at = (value) => `${50 + (50 * value) / far}%`;
  const svg = document.createElementNS(space, "svg");
  const add = (tag, attributes) => {
    const shape = document.createElementNS(space, tag);
    for (const [name, value] of Object.entries(attributes)) shape.setAttribute(name, value);
    svg.append(shape);
  };
  svg.setAttribute("class", "fig interval");
  svg.setAttribute("height", 14);
  svg.setAttribute("aria-hidden", "true");
  add("line", { class: "zero", x1: "50%", x2: "50%", y1: 0, y2: 14 });
  if (said.low !== null) {
    add("line", { class: "span", x1: at(said.low), x2: at(said.high), y1: 7, y2: 7 });
  }
  add("circle", { class: said.low === null ? "open" : "dot", cx: at(said.difference), cy: 7, r: 3 });
  return svg;
}

function differenceCell(said, far) {
  const cell = make("td", "", { class: "num mean", "data-v": said.difference });
  cell.append(signed(said.difference));
  if (said.verdict !== null) {
    cell.append(" ", make("b", SIGNS[said.verdict], { title: said.verdict }), document.createElement("br"));
    const bounds = said.low === null ? "" : `[${signed(said.low)} ${signed(said.high)}] `;
    cell.append(make("small", bounds + probability(said.p_holm)));
    const extra = { low: said.low, high: said.high, p: said.p_holm, verdict: said.verdict };
    for (const [name, value] of Object.entries(extra)) cell.dataset[name] = value ?? "";
  }
  cell.append(drawBar(said, far));
  return cell;
}

function fill(first, others, found) {
  const measures = Object.keys(found.own);
  const sayings = others.map((other) =>
    measures.map((measure) => found.others[other.value][measure]).map(
      ([map, difference, low, high, p_holm, verdict]) => ({ map, difference, low, high, p_holm, verdict }),
    ),
  );
  const ends = sayings.flat().flatMap((said) => [said.difference, said.low ?? 0, said.high ?? 0]);
  const far = Math.max(0.001, ...ends.map(Math.abs));
  const table = make("table", "", { class: "sort", id: "differences" });
  const head = table.createTHead().insertRow();
  head.append(make("th", "Task", { scope: "col", "data-key": "task" }));
  const name = (option) => option.textContent;
  head.append(make("th", name(first), { scope: "col", class: "num", "data-key": first.value }));
  for (const other of others) {
    head.append(make("th", name(other), { scope: "col", class: "num", "data-key": other.value }));
    head.append(
      make("th", `${name(first)} − ${name(other)}`, {
        scope: "col",
        class: "num",
        "data-key": `${first.value} - ${other.value}`,
      }),
    );
  }
  const body = table.createTBody();
  measures.forEach((measure, at) => {
    const row = body.insertRow();
    row.append(make("th", titles.get(measure), { scope: "row" }));
    const value = (map) => make("td", digits(map), { class: "num", "data-v": map });
    row.append(value(found.own[measure]));
    for (const said of sayings) row.append(value(said[at].map), differenceCell(said[at], far));
  });
  const box = make("div", "", { class: "wide", tabindex: 0, role: "group", "aria-label": "differences" });
  box.append(table);
  field("result").replaceChildren(box);
  makeSortable(table);
  addExports(table);
  restoreSort();
  const tasks = measures.filter(isTask);
  field("verdicts").replaceChildren(
    ...others.map((other, i) => make("li", sumUp(name(first), name(other), sayings[i], measures, tasks))),
  );
}

function sumUp(first, other, said, measures, tasks) {
  const of = (test) => tasks.filter((task) => test(said[measures.indexOf(task)])).length;
  if (said.every(({ verdict }) => verdict === null)) {
    return `${first} has the higher printed value at ${of((s) => s.difference > 0)} of ${tasks.length} tasks, ${other} at ${of((s) => s.difference < 0)}; whether they differ cannot be told.`;
  }
  const better = of(({ verdict }) => verdict === "a better");
  const worse = of(({ verdict }) => verdict === "b better");
  return `${first} is significantly better than ${other} at ${better} of ${tasks.length} tasks, and worse at ${worse}; ${tasks.length - better - worse} cannot be told apart.`;
}

/* The chosen options of the shown convention, each once, in their order. */
function chosen() {
  const part = all("[data-view]", form).find((found) => !found.hidden);
  const options = all("select", part).map((select) => select.selectedOptions[0]);
  const first = new Set();
  return options.filter((o) => o.value && !first.has(o.value) && first.add(o.value));
}

async function compareChosen() {
  const [first, ...others] = chosen();
  const picked = first ? [first, ...others] : [];
  remember("methods", picked.map((option) => option.value).join(","));
  field("clear").disabled = !picked.length;
  field("result").replaceChildren();
  field("verdicts").replaceChildren();
  if (!others.length) {
    field("said").textContent = "Choose two methods or more.";
    return;
  }
  const turn = (waiting += 1);
  field("said").textContent = "Loading…";
  try {
    const views = await load(first.value);
    if (turn !== waiting) return; // another choice was made meanwhile
    fill(first, others, views[view]);
    field("said").textContent = `${picked.length} of at most ${MOST_PICKS} methods.`;
  } catch {
    field("said").textContent = `The numbers of ${first.textContent} could not be loaded. Load the page again.`;
  }
}

function showView() {
  view = choose(field("views"), "view", all("[data-view]"), state.get("view"));
  compareChosen();
}

function startCompare() {
  const wanted = (state.get("methods") || "").split(",");
  for (const part of all("[data-view]", form)) {
    const label = part.querySelector("label");
    for (let i = 1; i < MOST_PICKS; i += 1) {
      const copy = label.cloneNode(true);
      copy.firstChild.textContent = i === 1 ? "against " : "and ";
      copy.querySelector("option").textContent = i === 1 ? "choose" : "–";
      part.append(copy);
    }
    all("select", part).forEach((select, i) => {
      const known = [...select.options].some((option) => option.value === wanted[i]);
      select.value = known ? wanted[i] : "";
      select.addEventListener("change", compareChosen);
    });
  }
  addButtons(field("views"), "view", all("[data-view]", form), showView);
  field("clear").addEventListener("click", () => {
    for (const select of all("select", form)) select.value = "";
    for (const name of ["methods", "sort"]) remember(name, "");
    compareChosen();
  });
  copyOn(field("copy"), () => location.href);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.hidden = false;
  showView();
}

if (form) startCompare();
