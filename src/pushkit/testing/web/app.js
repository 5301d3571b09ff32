import { el, preview } from "./preview.js";

const $ = (id) => document.getElementById(id);
const records = [];            // oldest first, as they came
const CHUNK = 100;             // rows rendered at a time: 10,000 stay usable
const KEPT = 10000;
let shownRows = CHUNK;
let last = 0;
let chosen = 0;
let paused = false;
let recipient = "";
let words = {};
let lastError = "";
let generation;

async function get(path) {
  const response = await fetch(`api/${path}`, { cache: "no-store" });
  if (!response.ok) throw new Error(`the server answered ${response.status}`);
  return response.json();
}

async function post(path, body) {
  const response = await fetch(`api/${path}`, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.error || `the server answered ${response.status}`);
  return answer;
}

function say(text) { $("said").textContent = text; }

// Filters

function matches(record) {
  if ($("provider").value && record.provider !== $("provider").value) return false;
  if ($("app").value && record.app !== $("app").value) return false;
  const category = $("category").value;
  if (category && record.category !== category && record.outcome !== category) return false;
  if (recipient && record.recipient !== recipient) return false;
  const wanted = $("search").value.trim().toLowerCase();
  if (!wanted) return true;
  return [record.title, record.text, record.shown, record.recipient, record.word, record.fault, String(record.status ?? "")].some((v) => v.toLowerCase().includes(wanted));
}

function found() {
  const list = [];
  for (let i = records.length - 1; i >= 0; i -= 1) if (matches(records[i])) list.push(records[i]);
  return list;
}

function apps() {
  const names = [...new Set(records.map((r) => r.app))].sort();
  const select = $("app");
  const before = select.value;
  if (select.options.length === names.length + 1) return;
  select.replaceChildren(new Option("all", ""), ...names.map((n) => new Option(n, n)));
  select.value = names.includes(before) ? before : "";
}

// The list

function row(record) {
  const item = el("li");
  const button = el("button", "row");
  button.type = "button";
  button.dataset.number = record.number;
  if (record.number === chosen) button.setAttribute("aria-current", "true");
  const head = el("span", "row-head");
  head.append(el("span", `chip ${record.provider}`, { apns: "APNs", fcm: "FCM", webpush: "Web" }[record.provider] ?? record.provider));
  head.append(el("span", `state ${record.outcome.replace(" ", "-")}`, record.fault || [record.status, record.word].filter(Boolean).join(" ")));
  head.append(el("time", "", new Date(record.time * 1000).toLocaleTimeString()));
  button.append(head, el("span", "row-title", record.title || record.text || "(nothing to show)"), el("span", "row-to", `to ${record.shown}${record.attempt > 1 ? ` · attempt ${record.attempt}` : ""}`));
  button.addEventListener("click", () => choose(record.number, true));
  item.append(button);
  return item;
}

function render() {
  const list = found();
  const focused = document.activeElement?.dataset?.number;
  $("list").replaceChildren(...list.slice(0, shownRows).map(row));
  if (focused) $("list").querySelector(`[data-number="${focused}"]`)?.focus();
  $("more").hidden = list.length <= shownRows;
  $("nothing").hidden = list.length > 0;
  $("nothing").textContent = records.length ? "No push fits these filters." : "No push has arrived yet. Send one to the local services.";
  $("counts").textContent = lastError || `${records.length} pushes, ${list.length} shown${paused ? " (paused)" : ""}`;
  $("recipient").hidden = !recipient;
  apps();
}

// Details

function pairs(title, entries) {
  const part = el("details");
  part.append(el("summary", "", title));
  const table = el("table");
  for (const [name, value] of entries) {
    const line = el("tr");
    const head = el("th", "", name);
    head.scope = "row";
    line.append(head, el("td", "", typeof value === "string" ? value : JSON.stringify(value)));
    table.append(line);
  }
  part.append(table);
  return part;
}

function code(title, value, open) {
  const part = el("details");
  part.open = Boolean(open);
  // Characters that turn the direction of what follows would make the text read as something else.
  const text = typeof value === "string" ? value : JSON.stringify(value, null, 2);
  const pre = el("pre", "", text.replace(/[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`));
  pre.tabIndex = 0;
  part.append(el("summary", "", title), pre);
  return part;
}

function action(text, work) {
  const button = el("button", "", text);
  button.type = "button";
  button.addEventListener("click", async () => {
    try { say(await work()); await refreshState(); } catch (error) { say(`That did not work: ${error.message}`); }
  });
  return button;
}

function actions(record) {
  const part = el("div", "actions");
  const select = el("select");
  select.setAttribute("aria-label", "Answer for this recipient");
  for (const word of words[record.provider] ?? []) select.append(new Option(word, word));
  part.append(
    select,
    action("Answer this recipient so, once", async () => { await post("script", { record: record.number, word: select.value, next: 1 }); return `The next push to ${record.shown} is answered ${select.value}.`; }),
    action("… always", async () => { await post("script", { record: record.number, word: select.value }); return `Every push to ${record.shown} is answered ${select.value}.`; }),
    action("Unregister", async () => { await post("register", { record: record.number, registered: false }); return `${record.shown} is no longer registered.`; }),
    action("Register again", async () => { await post("register", { record: record.number, registered: true }); return `${record.shown} is registered.`; }),
    action("Only this recipient", async () => { openRecipient(record.recipient, record.shown); return `Showing ${record.shown} only.`; }),
  );
  return part;
}

async function choose(number, move) {
  chosen = number;
  const part = $("detail");
  try {
    const record = await get(`record?number=${number}`);
    if (chosen !== number) return;
    const title = el("h2", "", record.title || record.text || "(nothing to show)");
    const about = el("p", "about", `${record.at} · ${record.provider} ${record.service} · ${record.protocol}, connection ${record.connection} · ${record.bytes} bytes · attempt ${record.attempt}`);
    const back = el("a", "back", "Back to the list");
    back.href = "#list";
    back.addEventListener("click", (event) => {
      event.preventDefault();
      const from = $("list").querySelector("[aria-current]");
      (from ?? $("list")).scrollIntoView({ block: "nearest" });
      (from ?? $("list")).focus();
    });
    part.replaceChildren(back, title, about, preview(record.preview));
    if (record.advice) part.append(el("p", "note", `pushkit calls it a ${record.category} failure: ${record.advice}`));
    if (record.problem) part.append(el("p", "problem", record.problem));
    part.append(actions(record), code("Payload", record.payload ?? "none", true));
    const answer = record.answer;
    part.append(answer ? code(`Answer ${answer.status} ${answer.word}`, answer.body || "no body", true) : el("p", "problem", `No answer: ${record.fault}`));
    part.append(pairs("Request headers", record.headers), pairs("Credential's claims", Object.entries(record.claims)));
    if (answer) part.append(pairs("Answer headers", answer.headers));
    part.append(code("Recipient", record.target));
  } catch (error) {
    part.replaceChildren(el("p", "problem", `This entry cannot be shown: ${error.message}`));
  }
  for (const button of $("list").querySelectorAll(".row")) {
    if (Number(button.dataset.number) === number) button.setAttribute("aria-current", "true"); else button.removeAttribute("aria-current");
  }
  if (move && matchMedia("(max-width: 60rem)").matches) part.scrollIntoView();
  if (move) part.focus({ preventScroll: true });
}

// A page for each recipient: its fingerprint in the address, so that it can be bookmarked and "back" works.

function openRecipient(fingerprint, name) {
  $("recipient-name").textContent = name || fingerprint;
  location.hash = fingerprint ? `#to=${fingerprint}` : "#";
}

function readHash() {
  recipient = /^#to=([0-9a-f]{8})$/.exec(location.hash)?.[1] ?? "";
  if (recipient) $("recipient-name").textContent = records.find((r) => r.recipient === recipient)?.shown ?? recipient;
  shownRows = CHUNK;
  render();
}

// Scripts

async function refreshState() {
  const state = await get("state");
  words = state.words;
  if (!$("word").options.length) fillWords();
  $("steps").replaceChildren(...state.steps.filter((s) => !s.exhausted).map((s) => {
    const item = el("li", "", `${s.said} · used ${s.used}${s.times ? ` of ${s.times}` : ""} `);
    const button = action("Remove", async () => { await post("remove", { step: s.number }); return "Removed."; });
    button.setAttribute("aria-label", `Remove ${s.said}`);
    item.append(button);
    return item;
  }));
  $("outages").replaceChildren(...["apns", "fcm", "webpush", "oauth"].map((name) => {
    const down = state.down.includes(name);
    const button = action(`${{ apns: "APNs", fcm: "FCM", webpush: "Web Push", oauth: "Google's tokens" }[name]}: ${down ? "down" : "up"}`, async () => { await post("outage", { provider: name, down: !down }); return `${name} is ${down ? "up again" : "down"}.`; });
    button.setAttribute("aria-pressed", String(down));
    return button;
  }));
}

function fillWords() { $("word").replaceChildren(...(words[$("to").value] ?? []).map((w) => new Option(w, w))); }

// Live

async function poll() {
  let waited = 1000;
  try {
    if (!paused) {
      const page = await get(`records?after=${last}`);
      if (page.generation !== generation) {
        const fresh = generation === undefined;
        generation = page.generation;
        records.length = 0;
        if (!fresh && last) { last = 0; render(); setTimeout(poll, 0); return; }
      }
      if (page.records.length) {
        records.push(...page.records);
        last = page.records.at(-1).number;
        while (records.length && (records.length > KEPT || records[0].number < page.first)) records.shift();
        render();
        refreshState();
        if (page.records.length >= 500) waited = 0;
      } else if (lastError) { lastError = ""; render(); }
      lastError = "";
    }
  } catch (error) {
    lastError = `The services do not answer (${error.message}). Are they still running?`;
    render();
    waited = 3000;
  }
  setTimeout(poll, waited);
}

for (const id of ["search", "provider", "app", "category"]) $(id).addEventListener("input", () => { shownRows = CHUNK; render(); });
$("filters").addEventListener("submit", (event) => event.preventDefault());
$("more").addEventListener("click", () => { shownRows += CHUNK; render(); });
$("everybody").addEventListener("click", () => { location.hash = "#"; });
$("to").addEventListener("change", fillWords);
$("for").addEventListener("change", () => { $("count").disabled = $("for").value === "always"; });
$("pause").addEventListener("click", () => { paused = !paused; $("pause").setAttribute("aria-pressed", String(paused)); render(); });
$("clear").addEventListener("click", async () => { try { await post("clear", {}); records.length = 0; last = 0; render(); } catch (error) { say(error.message); } });
$("script").addEventListener("submit", async (event) => {
  event.preventDefault();
  const body = { provider: $("to").value, word: $("word").value };
  if ($("for").value === "next") body.next = Number($("count").value);
  try { await post("script", body); say(`Scripted: ${body.next ? `the next ${body.next}` : "every push"} to ${body.provider}: ${body.word}.`); await refreshState(); } catch (error) { say(`That did not work: ${error.message}`); }
});
$("list").addEventListener("keydown", (event) => {
  if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
  const rows = [...$("list").querySelectorAll(".row")];
  const next = rows[rows.indexOf(document.activeElement) + (event.key === "ArrowDown" ? 1 : -1)];
  if (next) { event.preventDefault(); next.focus(); }
});
addEventListener("hashchange", readHash);
readHash();
refreshState().catch((error) => say(error.message));
poll();
