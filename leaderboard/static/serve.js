/* What a served board's pages can do beyond forms: an upload with its progress, and states that
   follow the server's. Without this the forms work all the same. */
"use strict";

const POLL_MS = 3000;
const byId = (id) => document.getElementById(id);

function size(bytes) {
  const units = ["bytes", "KiB", "MiB", "GiB"];
  let unit = 0;
  for (; bytes >= 1024 && unit < units.length - 1; unit += 1) bytes /= 1024;
  return `${bytes.toLocaleString("en", { maximumSignificantDigits: 4 })} ${units[unit]}`;
}

/* An answer that says no, in the shape that every one of them has. */
function tell(place, said) {
  const list = document.createElement("dl");
  list.className = "card facts said bad";
  for (const name of ["code", "what", "why", "fix"]) {
    if (!said[name]) continue;
    const term = document.createElement("dt");
    const text = document.createElement("dd");
    term.textContent = name[0].toUpperCase() + name.slice(1);
    text.textContent = said[name];
    list.append(term, text);
  }
  place.replaceChildren(list);
}

function startUpload(form) {
  const bar = byId("progress");
  const stop = byId("stop");
  const button = form.querySelector("button.main");
  let request = null;

  function end() {
    request = null;
    bar.hidden = stop.hidden = true;
    button.disabled = false;
  }

  function answered() {
    const { status, response } = request;
    end();
    if ((status === 200 || status === 201) && response && response.id) {
      location.assign(`/team/submissions/${encodeURIComponent(response.id)}`);
    } else {
      tell(byId("answer"), response || { what: `The server answered ${status}.` });
    }
  }

  function broken() {
    end();
    tell(byId("answer"), {
      what: "The connection broke off before the server had answered.",
      why: "It is not known whether all of it arrived.",
      fix: "Hand the same files in again: what has arrived is not taken twice.",
    });
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (request) return;
    byId("answer").replaceChildren();
    for (const [field, most] of [["card", form.dataset.card], ["submission", form.dataset.most]]) {
      const file = byId(field).files[0];
      if (file && file.size > Number(most)) {
        tell(byId("answer"), {
          what: `The ${field} has ${size(file.size)}, of at most ${size(Number(most))}.`,
          why: "Nothing was sent.",
          fix: "Hand in embeddings; score matrices are scored with fgbench score.",
        });
        return;
      }
    }
    request = new XMLHttpRequest();
    request.open("POST", form.action);
    request.responseType = "json";
    request.setRequestHeader("Accept", "application/json");
    request.upload.addEventListener("progress", (sent) => {
      bar.querySelector("progress").value = sent.total ? sent.loaded / sent.total : 0;
      stop.hidden = sent.loaded >= sent.total; // from here on the server may have taken it
      byId("sent").textContent =
        sent.loaded < sent.total
          ? `${size(sent.loaded)} of ${size(sent.total)}`
          : "All sent; the server writes it down.";
    });
    request.addEventListener("load", answered);
    request.addEventListener("error", broken);
    request.addEventListener("abort", () => {
      end();
      tell(byId("answer"), { what: "Stopped; nothing was handed in." });
    });
    bar.querySelector("progress").value = 0;
    byId("sent").textContent = "";
    bar.hidden = stop.hidden = false;
    button.disabled = true;
    request.send(new FormData(form));
  });
  stop.addEventListener("click", () => request && request.abort());
  addEventListener("beforeunload", (event) => {
    if (request) event.preventDefault();
  });
}

/* Rows follow in place, since an upload may be under way; a submission's own page is loaded anew. */
function update(states) {
  const own = byId("state");
  for (const found of states) {
    if (own && own.dataset.id === found.id && own.dataset.version !== String(found.version)) {
      location.reload();
      return;
    }
    const row = byId(`s-${found.id}`);
    if (!row || row.dataset.version === String(found.version)) continue;
    row.dataset.version = found.version;
    const badge = row.querySelector(".state");
    if (badge) {
      badge.className = `badge state ${found.state}`;
      badge.textContent = found.state;
    }
    row.querySelector("small").textContent = found.reason;
    const name = row.querySelector("th a");
    if (found.name) name.textContent = found.name;
  }
}

async function follow(address) {
  let waiting = true;
  while (waiting) {
    await new Promise((done) => setTimeout(done, POLL_MS));
    if (document.hidden) continue;
    try {
      const answer = await fetch(address, { headers: { Accept: "application/json" } });
      if (answer.status === 401) return;
      if (!answer.ok) continue;
      const { submissions } = await answer.json();
      update(submissions);
      waiting = submissions.some((found) => found.waiting);
    } catch {
      // The server may be restarting; the page goes on asking.
    }
  }
}

if (byId("upload")) startUpload(byId("upload"));
const followed = document.querySelector("[data-follow]");
if (followed) follow(followed.dataset.follow);
