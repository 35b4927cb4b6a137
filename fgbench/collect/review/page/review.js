"use strict";
/* Shows what is in doubt, one item at a time. Whatever a site wrote is set as text, never as HTML. */

const $ = (id) => document.getElementById(id);
const sound = $("sound");
let items = [];
let current = null;
let drawn = null; // the picture on show
let opened = 0; // counts openings, so that answers that come late are dropped
let last = Promise.resolve(); // key presses are done one after the other

async function ask(name, body) {
  const how = body && {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  };
  let answer;
  try {
    answer = await fetch(name, how);
  } catch {
    throw new Error("The server does not answer: start fgbench review again. Nothing that was confirmed is lost.");
  }
  const said = await answer.json();
  if (!answer.ok) throw new Error(said.error);
  return said;
}

function say(words, fault = false) {
  $("status").textContent = words;
  $("status").classList.toggle("fault", fault);
}

function act(action) {
  last = last.then(action).catch((error) => say(error.message, true));
}

const of = (name, item) => `${name}?id=${encodeURIComponent(item.id)}`;

/* The list */

function matches(item) {
  const show = $("show").value;
  const species = $("species").value;
  return (species === "" || String(item.label) === species) && (show === "all" || (show === "left") === !item.decision);
}

/* The nearest item that matches, after `from` or before it, round the end of the list. */
function beside(from, step) {
  const start = from ? items.indexOf(from) : step > 0 ? -1 : 0;
  for (let i = 1; i <= items.length; i += 1) {
    const item = items[(start + step * i + items.length * 2) % items.length];
    if (matches(item)) return item;
  }
  return null;
}

function count() {
  const decided = items.filter((item) => item.decision);
  const kept = decided.filter((item) => item.decision === "keep").length;
  $("count").textContent = `${decided.length} of ${items.length} decided · ${kept} kept, ${decided.length - kept} dropped`;
  $("progress").max = Math.max(items.length, 1);
  $("progress").value = decided.length;
  const classes = new Map([["", { name: "all", left: 0 }]]);
  for (const item of items) {
    const label = String(item.label);
    if (!classes.has(label)) classes.set(label, { name: item.name, left: 0 });
    for (const key of ["", label]) classes.get(key).left += item.decision ? 0 : 1;
  }
  const chosen = $("species").value;
  const options = [...classes].map(([label, { name, left }]) => new Option(`${name} (${left} left)`, label));
  $("species").replaceChildren(...options);
  $("species").value = classes.has(chosen) ? chosen : "";
}

/* One item */

async function open(item) {
  const mine = (opened += 1);
  current = item;
  sound.removeAttribute("src");
  sound.load();
  drawn = null;
  $("picture").classList.add("blank"); // it keeps its place, so that the buttons keep theirs
  for (const id of ["half", "end", "note"]) $(id).textContent = "";
  $("item").hidden = item === null;
  if (item === null) {
    say(nothing());
    return;
  }
  const told = await ask(of("item", item));
  if (mine !== opened) return;
  $("name").textContent = told.name;
  $("scientific").textContent = told.scientific_name;
  for (const decision of ["keep", "drop"]) $(decision).setAttribute("aria-pressed", item.decision === decision);
  const shown = items.filter(matches);
  const place = shown.indexOf(item);
  $("place-in-list").textContent = (place < 0 ? "" : `${place + 1} of ${shown.length} · `) + told.medium;
  $("facts").replaceChildren(...facts(told));
  $("text").hidden = !told.text;
  $("text").textContent = told.text ?? "";
  $("recording").hidden = told.medium !== "audio";
  if (told.medium !== "audio") return;
  for (const part of [sound, $("picture"), $("seconds")]) part.hidden = !told.has_file;
  if (!told.has_file) {
    note("The build folder has no file of this item.");
    return;
  }
  sound.src = of("sound", item);
  if ($("autoplay").checked) play();
  showPicture(item, mine); // not waited for: the next key may come first
}

async function showPicture(item, mine) {
  let picture;
  try {
    picture = await ask(of("picture", item));
  } catch (error) {
    if (mine !== opened) return;
    for (const id of ["picture", "seconds"]) $(id).hidden = true;
    note(error.message);
    return;
  }
  if (mine !== opened) return;
  drawn = picture;
  $("waveform").firstElementChild.setAttribute("d", picture.waveform);
  $("spectrogram").src = of("spectrogram", item);
  $("top-hz").textContent = `${+(picture.top_hz / 1000).toFixed(1)} kHz`;
  $("half").textContent = seconds(picture.duration_s / 2);
  $("end").textContent = seconds(picture.duration_s);
  $("picture").classList.remove("blank");
  if (!picture.whole) note(`The picture is of the first ${seconds(picture.duration_s)} only.`);
}

function note(words) {
  $("note").textContent += ` ${words}`;
}

const seconds = (value) => `${value.toFixed(value < 100 ? 1 : 0)} s`;

function facts(told) {
  const scores = told.activity ?? {};
  const score = (name, value, unit = "") => value == null ? [] : [`${name} ${+value.toFixed(2)}${unit}`];
  const piece = told.end_s == null ? "" : `${seconds(told.start_s ?? 0)} to ${seconds(told.end_s)} of the recording`;
  const lines = [
    ["Verdict", [told.reason, told.detail].filter(Boolean).join(": ")],
    ["Scores", [
      ...score("energy", scores.energy),
      ...score("flatness", scores.flatness),
      ...score("SNR", scores.snr_db, " dB"),
      ...score("BirdNET", scores.birdnet),
    ].join(" · ")],
    ["Source", [told.site, told.source_id].filter(Boolean).join(" "), told.source_url],
    ["Title", told.title],
    ["By", told.author],
    ["Recorded", [told.recorded_on, told.place].filter(Boolean).join(", ")],
    ["Piece", piece],
    ["Licence", told.licence, told.licence_url],
    ["Id", told.id],
  ];
  return lines.filter(([, value]) => value).flatMap(([name, value, url]) => {
    const [term, said] = [document.createElement("dt"), document.createElement("dd")];
    term.textContent = name;
    if (url) {
      const link = document.createElement("a");
      Object.assign(link, { href: url, target: "_blank", rel: "noreferrer", textContent: value });
      said.append(link);
    } else {
      said.textContent = value;
    }
    return [term, said];
  });
}

function nothing() {
  if (!items.length) return "Nothing is in doubt in this build.";
  if (items.every((item) => item.decision)) return "All is decided. Build again with --offline, and the build does as you decided.";
  return "Nothing to show: choose another species, or show all.";
}

/* What keys and buttons do */

async function decide(decision) {
  const item = current;
  if (!item) return;
  await ask("decide", { id: item.id, decision });
  item.decision = decision;
  say(decision === "keep" ? "Kept." : "Dropped.");
  count();
  const next = beside(item, 1);
  await open(next === item ? null : next);
}

async function undo() {
  const { id, decision } = await ask("undo", {});
  if (id === null) {
    say("Nothing to undo.");
    return;
  }
  const item = items.find((one) => one.id === id);
  item.decision = decision;
  count();
  await open(item);
  say("Taken back.");
}

async function move(step) {
  const item = beside(current, step);
  if (!item) return;
  say("");
  await open(item);
}

/* A browser plays nothing before the first key or click on a page; then Space does. */
function play() {
  sound.play().catch((error) => {
    if (error.name === "NotAllowedError") say("Press Space to play.");
  });
}

function toggle() {
  if (sound.paused) play();
  else sound.pause();
}

const actions = {
  k: () => act(() => decide("keep")),
  d: () => act(() => decide("drop")),
  u: () => act(undo),
  arrowright: () => act(() => move(1)),
  arrowleft: () => act(() => move(-1)),
  " ": toggle,
};

document.addEventListener("keydown", (event) => {
  const action = actions[event.key.toLowerCase()];
  if (!action || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest("select")) return; // letters and arrows choose there
  if (event.key === " " && event.target.closest("button, input, a")) return;
  if (event.key.length !== 1 && event.target === sound) return; // there arrows seek
  event.preventDefault();
  if (!event.repeat) action();
});

$("keep").addEventListener("click", actions.k);
$("drop").addEventListener("click", actions.d);
$("undo").addEventListener("click", actions.u);
$("skip").addEventListener("click", actions.arrowright);
$("back").addEventListener("click", actions.arrowleft);

for (const id of ["species", "show"]) {
  $(id).addEventListener("change", () => {
    $(id).blur(); // so that the next key is heard
    say("");
    act(() => open(current && matches(current) ? current : beside(current, 1)));
  });
}

$("picture").addEventListener("click", (event) => {
  const { left, width } = $("picture").getBoundingClientRect();
  if (drawn) sound.currentTime = (drawn.duration_s * (event.clientX - left)) / width;
});

function follow() {
  const part = drawn ? Math.min(sound.currentTime / drawn.duration_s, 1) : 0;
  $("cursor").style.left = `${100 * part}%`;
  if (!sound.paused) requestAnimationFrame(follow);
}
for (const event of ["play", "seeked", "timeupdate", "emptied"]) sound.addEventListener(event, follow);
sound.addEventListener("error", () => note("This browser cannot play the file."));

act(async () => {
  items = await ask("items");
  count();
  await open(beside(null, 1));
});
