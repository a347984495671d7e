// The page: shows the scene that the relay's lab has, and asks it for what is pressed.

import { behind, channel, element } from "./chats.js";
import { HOSTILE, WORDS } from "./words.js";

const by = id => document.getElementById(id);
let scene;
let words = WORDS.ja;

// What is pressed happens in the order of the presses: what is quick at once, and what the relay has to work at after
// all that was asked for before it.
let quick = Promise.resolve();
let slow = Promise.resolve();
const QUICK = ["clock", "write", "fault"];

function ask(request) {
  if (QUICK.includes(request.do)) return quick = quick.then(() => send(request));
  const before = quick;
  return slow = Promise.all([slow, before]).then(() => send(request));
}

async function send(request) {
  try {
    const answer = await fetch("do", {
      method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(request),
    });
    const body = await answer.json();
    const { error, detail } = body;
    say(error ? `${words.errors[error] ?? error}${detail ? `: ${detail}` : ""}` : "");
    return body;
  } catch {
    say(words.lost);
    return {};
  }
}

function say(text) {
  by("notice").textContent = text;
  by("notice").hidden = !text;
}

/// Asks for the next scene as long as the page is open.
async function follow() {
  let version;
  for (let lost = false; ;) {
    try {
      const answer = await fetch(version === undefined ? "scene" : `scene?after=${version}`);
      const next = await answer.json();
      if (lost) say("");
      lost = false;
      if (next.version !== version) show(next);
      version = next.version;
    } catch {
      lost = true;
      // Another run of the command counts anew.
      version = undefined;
      say(words.lost);
      await new Promise(resolve => setTimeout(resolve, 1000));
    }
  }
}

function show(next) {
  const last = scene;
  scene = next;
  if (!last || last.language !== next.language) speak(last && WORDS[last.language]);
  for (const id of ["language", "chats", "clock"]) put(by(id), next[id]);
  for (const tab of ["roster", "members"]) {
    if (!last || JSON.stringify(last[tab]) !== JSON.stringify(next[tab])) sheet(tab, next[tab]);
  }
  for (const select of document.querySelectorAll("#faults select")) {
    put(select, next.faults[select.dataset.service]);
    select.classList.toggle("broken", select.value !== "well");
  }
  people();
  incidents();
  steps();
  posts();
  document.body.dataset.version = next.version;
}

/// A value that somebody is about to change is theirs.
function put(field, value) {
  if (field !== document.activeElement || field.tagName === "SELECT") field.value = value;
}

function speak(before) {
  words = WORDS[scene.language];
  document.documentElement.lang = scene.language;
  for (const place of document.querySelectorAll("[data-word]")) place.textContent = words[place.dataset.word];
  for (const [id, word] of [["title", "first_title"], ["text", "first_text"]]) {
    if (!by(id).value || by(id).value === before?.[word]) by(id).value = words[word];
  }
  by("status").replaceChildren(...Object.entries(words.jobs).map(([status, text]) => element("option", { value: status }, text)));
  by("faults").replaceChildren(by("faults").querySelector("legend"), ...Object.entries(words.services).map(
    ([service, name]) => element("label", {}, element("span", {}, name), element("select", {
      "data-service": service, onchange: event => ask({ do: "fault", service, mode: event.target.value }),
    }, ...Object.entries(words.modes).map(([mode, text]) => element("option", { value: mode }, text))))));
  for (const tab of ["roster", "members"]) sheet(tab, scene[tab]);
}

function sheet(tab, rows) {
  const place = by(tab);
  const width = Math.max(2, ...rows.map(row => row.length));
  const focused = place.contains(document.activeElement) && document.activeElement.dataset.cell;
  const unsaved = focused && document.activeElement.value;
  const cell = (row, column) => element("td", {}, element("input", {
    type: "text", value: rows[row][column] ?? "", "data-cell": `${row}-${column}`, autocomplete: "off", spellcheck: "false",
    "aria-label": `${words[tab]} ${words.row} ${row + 1} ${words.column} ${column + 1}`,
    onchange: () => write(tab), onkeydown: event => move(event, tab, row, column),
  }));
  place.replaceChildren(
    element("table", {}, ...rows.map((_, row) => element("tr", {},
      element("th", { scope: "row" }, String(row + 1)), ...Array.from({ length: width }, (_, column) => cell(row, column))))),
    element("p", { class: "row" },
      element("button", { type: "button", onclick: () => write(tab, read(tab).concat([[""]])) }, words.add_row),
      element("button", { type: "button", onclick: () => write(tab, read(tab).slice(0, -1)) }, words.remove_row)));
  const again = focused && place.querySelector(`[data-cell="${focused}"]`);
  if (again) {
    again.focus();
    again.value = unsaved;
  }
}

const read = tab => [...by(tab).querySelectorAll("tr")].map(row => [...row.querySelectorAll("input")].map(cell => cell.value));
const write = (tab, rows = read(tab)) => ask({ do: "write", tab, rows });

function move(event, tab, row, column) {
  const step = { ArrowUp: -1, ArrowDown: 1, Enter: 1 }[event.key];
  if (step && !event.isComposing) by(tab).querySelector(`[data-cell="${row + step}-${column}"]`)?.focus();
}

/// What each entry was made from.
const made = new WeakMap();

/// Makes anew what is made from something else than before, and leaves the rest alone; what is open stays open.
function fill(place, entries) {
  const follows = place.getAttribute("role") === "log";
  const atEnd = follows && place.scrollHeight - place.scrollTop - place.clientHeight < 40;
  const before = new Map([...place.children].map(child => [made.get(child)?.key, child]));
  let at = place.firstChild;
  for (const { key, from, make } of entries) {
    const from_text = JSON.stringify([from, scene.language]);
    let node = before.get(key);
    before.delete(key);
    if (!node || made.get(node).from_text !== from_text) {
      const anew = make();
      made.set(anew, { key, from_text });
      for (const one of node?.querySelectorAll("details[data-key]") ?? []) {
        const same = anew.querySelector(`details[data-key="${one.dataset.key}"]`);
        if (same) same.open = one.open;
      }
      if (at === node) at = at?.nextSibling ?? null;
      node?.remove();
      node = anew;
    }
    if (at === node) at = at.nextSibling;
    else place.insertBefore(node, at);
  }
  for (const gone of before.values()) gone.remove();
  if (atEnd) place.scrollTop = place.scrollHeight;
}

const hint = (key, text) => ({ key, from: text, make: () => element("p", { class: "hint" }, text) });

function incidents() {
  for (const id of ["incident", "into"]) {
    const chosen = by(id).value;
    const newest = scene.incidents.at(-1)?.number;
    const isNew = id === "incident" && newest > Number(by(id).dataset.newest ?? 0);
    const listed = JSON.stringify([scene.incidents, scene.language]);
    if (by(id).dataset.listed === listed) continue;
    by(id).dataset.listed = listed;
    by(id).replaceChildren(...[...scene.incidents].reverse().map(({ number, title, status }) =>
      element("option", { value: number }, `#pd${number} ${words.statuses[status]} ${title}`)));
    if (chosen && !isNew && scene.incidents.some(({ number }) => String(number) === chosen)) by(id).value = chosen;
    if (newest) by(id).dataset.newest = newest;
  }
  const chosen = scene.incidents.find(({ number }) => String(number) === by("incident").value);
  const isOpen = chosen && ["triggered", "acknowledged"].includes(chosen.status);
  const can = { acknowledge: isOpen, escalate: isOpen, resolve: isOpen, note: chosen, reopen: chosen?.status === "resolved",
    merge: isOpen && by("into").value && by("into").value !== by("incident").value };
  for (const [act, possible] of Object.entries(can)) document.querySelector(`[data-act="${act}"]`).disabled = !possible;
}

function steps() {
  const withPosts = new Set(scene.posts.map(post => post.step));
  const title = step => `${step.at.slice(11)} ${words[step.what]}${step.incident ? ` #pd${step.incident}` : ""}`;
  const shown = [...scene.steps].slice(-50).reverse().map(step => {
    const isQuiet = step.done && !withPosts.has(step.number);
    const again = step.status === 503 && step.can_come_again;
    return { key: step.number, from: [step, isQuiet], make: () => element("li", { value: step.number },
      title(step), step.done ? undefined : element("i", {}, ` ${words.working}`),
      isQuiet ? ` · ${words.nothing}` : undefined,
      step.done ? behind(step, words) : undefined,
      again ? element("button", { type: "button", "data-again": step.number,
        onclick: () => ask({ do: "again", step: step.number }) }, words.send_again) : undefined) };
  });
  fill(by("steps"), shown.length ? shown : [{ ...hint("none", words.none), make: () => element("li", { class: "hint" }, words.none) }]);
}

function posts() {
  const found = new Map(scene.steps.map(step => [step.number, step]));
  scene.posts.forEach((post, index) => { post.number = scene.left_out + index; });
  const about = post => ({ words, step: found.get(post?.step), press });
  for (const [chat, isAlert, id] of [["slack", true, "slack-alert"], ["slack", false, "slack-oncall"],
    ["typetalk", true, "typetalk-alert"], ["typetalk", false, "typetalk-oncall"]]) {
    const here = scene.posts.filter(post => post.chat === chat && post.is_alert === isAlert);
    // Which step a message came of never changes, and whether it is kept: names are the members tab's.
    const shown = channel(here, scene, about).map(entry => ({ ...entry, from: [entry.from, chat === "slack" && scene.members] }));
    if (scene.left_out) shown.unshift(hint("left-out", words.left_out(scene.left_out)));
    fill(by(id), shown.length ? shown : [hint("none", words.none)]);
  }
}

/// Whoever uses Slack here.
function me() {
  const [id, name] = by("me").value.split("|");
  return { id, name };
}

function people() {
  const chosen = by("me").value;
  const row = cells => ({ name: cells[0]?.trim() ?? "", id: cells.map(cell => cell.trim()).find(cell => /^[UW][A-Z0-9]{5,}$/.test(cell)) });
  const found = scene.members.map(row).filter(({ id }) => id);
  found.push({ id: "U0GUEST01", name: words.guest });
  by("me").replaceChildren(...found.map(({ id, name }) => element("option", { value: `${id}|${name}` }, name)));
  if ([...by("me").options].some(option => option.value === chosen)) by("me").value = chosen;
}

/// A button of a message: it may ask first, and it may open a modal.
async function press(post, { action_id: action, value, confirm }) {
  if (confirm && !(await dialog({ title: confirm.title, text: confirm.text, submit: confirm.confirm, close: confirm.deny }))) return;
  const { view } = await ask({ do: "press", by: me(), ts: post.ts, action, value });
  for (let error; view;) {
    const said = await dialog({ title: view.title, submit: view.submit, close: view.close, input: view.blocks[0], error });
    if (!said) return;
    const { errors } = await ask({ do: "submit", by: me(), view, text: said.text });
    if (!errors) return;
    error = Object.values(errors).join("\n");
  }
}

/// What somebody says to a dialog; nothing if they close it.
function dialog({ title, text, submit, close, input, error }) {
  const field = input && element("textarea", { rows: "4", maxlength: String(input.element?.max_length ?? 3000), required: true });
  const form = element("form", { method: "dialog" },
    element("h2", {}, title?.text ?? ""),
    text && element("p", {}, text.text ?? ""),
    field && element("label", { class: "wide" }, element("span", {}, input.label?.text ?? ""), field),
    error && element("p", { role: "alert", class: "broken" }, error),
    element("p", { class: "row" },
      element("button", { value: "yes", class: "primary" }, submit?.text ?? "OK"),
      element("button", { value: "", formnovalidate: true }, close?.text ?? "×")));
  const made = element("dialog", {}, form);
  document.body.append(made);
  made.showModal();
  return new Promise(resolve => made.addEventListener("close", () => {
    made.remove();
    resolve(made.returnValue === "yes" ? { text: field?.value ?? "" } : undefined);
  }));
}

function act(name) {
  const version = by("version").value;
  const happen = (extra = {}) => ask({ do: "happen", what: name, incident: Number(by("incident").value), text: "", version, ...extra });
  switch (name) {
    case "trigger": return ask({ do: "trigger", title: by("title").value, version });
    case "hostile": return ask({ do: "trigger", title: HOSTILE, version });
    case "note": return happen({ text: by("text").value });
    case "merge": return happen({ into: Number(by("into").value) });
    case "ping": case "ask": return ask({ do: name });
    case "notice": return ask({ do: "notice", incident: Number(by("incident").value) || null, text: by("text").value, status: by("status").value });
    case "today": case "next": case "week": return ask({ do: "remind", reminder: name });
    default: return happen();
  }
}

for (const button of document.querySelectorAll("[data-act]")) button.addEventListener("click", () => act(button.dataset.act));
for (const button of document.querySelectorAll("[data-minutes]")) {
  button.addEventListener("click", () => {
    // A wall clock's arithmetic; the zone has no summer time.
    const later = new Date(`${scene.clock}Z`).getTime() + Number(button.dataset.minutes) * 60_000;
    ask({ do: "clock", at: new Date(later).toISOString().slice(0, 16) });
  });
}
by("clock").addEventListener("change", () => ask({ do: "clock", at: by("clock").value }));
by("reset").addEventListener("click", () => ask({ do: "reset" }));
for (const id of ["incident", "into"]) by(id).addEventListener("change", incidents);
for (const id of ["language", "chats"]) {
  by(id).addEventListener("change", () => ask({ do: "settings", language: by("language").value, chats: by("chats").value }));
}
by("title").addEventListener("keydown", event => { if (event.key === "Enter" && !event.isComposing) act("trigger"); });
follow();
